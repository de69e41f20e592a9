import Core
import HTTP

extension Endpoints {
    /// One job: `GET /v1/jobs/{id}`.
    func getJob(_ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await authenticate(request)
        return .json(200, JobView.document(try await job(of: request, principal).value))
    }

    /// The job that a path names, with the person's role; another team's is not there.
    func job(of request: HTTPRequest, _ principal: Principal) async throws -> Access<Job> {
        let id = try request.pathID("id", JobNoun.self, noun: "job")
        guard let found = try await services.jobs.job(id, scope: principal.scope) else {
            throw ProblemError(.missing("job"))
        }
        return found
    }
}
