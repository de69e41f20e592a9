import Bytes
import Core
import HTTP

extension Endpoints {
    /// One project: `GET /v1/projects/{id}`.
    func getProject(_ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await authenticate(request)
        let project = try await project(of: request, principal).value
        return .json(200, document { ProjectView.write(project, to: &$0) })
    }

    /// The project that a path names, with the person's role; another team's is not there.
    func project(of request: HTTPRequest, _ principal: Principal) async throws -> Access<Project> {
        let id = try request.pathID("id", ProjectNoun.self, noun: "project")
        guard let found = try await services.projects.project(id, scope: principal.scope) else {
            throw ProblemError(.missing("project"))
        }
        return found
    }
}
