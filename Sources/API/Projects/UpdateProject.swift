import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Changes a project's name or policy: `PATCH /v1/projects/{id}`.
    func updateProject(_ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await authenticate(request)
        let form = try await request.jsonObject { fields in
            (
                name: fields.string("name", maximum: 100, required: false),
                policy: fields.choice("policy", AgentPolicy.self)
            )
        }
        let found = try await project(of: request, principal)
        try require(.projectWrite, found.role)
        guard
            let project = try await services.projects.updateProject(
                found.value.id,
                name: form.name,
                policy: form.policy,
                scope: principal.scope
            )
        else { throw ProblemError(.missing("project")) }
        return .json(200, document { ProjectView.write(project, to: &$0) })
    }

    /// Deletes a project that has no unfinished job: `DELETE /v1/projects/{id}`.
    func deleteProject(_ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await authenticate(request)
        let found = try await project(of: request, principal)
        try require(.projectDelete, found.role)
        do throws(StoreError) {
            guard try await services.projects.deleteProject(found.value.id, scope: principal.scope) else {
                throw .notFound
            }
        } catch .conflict {
            throw ProblemError(.projectBusy)
        } catch .notFound {
            throw ProblemError(.missing("project"))
        }
        return .noContent
    }
}
