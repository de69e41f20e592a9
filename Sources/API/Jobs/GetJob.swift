import HTTP

extension Endpoints {
    /// One job: `GET /v1/jobs/{id}`.
    func getJob(_ request: HTTPRequest, _ call: JobCall) async throws -> HTTPResponse {
        .json(200, JobView.document(call.job))
    }
}
