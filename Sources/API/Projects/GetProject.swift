import Bytes
import HTTP

extension Endpoints {
    /// One project: `GET /v1/projects/{id}`.
    func getProject(_ request: HTTPRequest, _ call: ProjectCall) async throws -> HTTPResponse {
        .json(200, document { ProjectView.write(call.project, to: &$0) })
    }
}
