import Bytes
import Core
import HTTP

extension Endpoints {
    /// Changes a project's name or policy: `PATCH /v1/projects/{id}`.
    func updateProject(_ request: HTTPRequest, _ call: ProjectCall) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                name: fields.name("name", maximum: 100, required: false),
                policy: fields.choice("policy", AgentPolicy.self)
            )
        }
        var changes: [AuditDetail] = []
        if let name = form.name { changes.append(AuditDetail("name", name)) }
        if let policy = form.policy { changes.append(AuditDetail("policy", policy.rawValue)) }
        guard
            let project = try await services.projects.updateProject(
                call.project.id,
                name: form.name,
                policy: form.policy,
                scope: call.principal.scope,
                audit: draft(request, call, "project.updated", changes)
            )
        else { throw ProblemError(.missing("project")) }
        return .json(200, document { ProjectView.write(project, to: &$0) })
    }

    /// Deletes a project that has no unfinished job: `DELETE /v1/projects/{id}`.
    func deleteProject(_ request: HTTPRequest, _ call: ProjectCall) async throws -> HTTPResponse {
        do throws(StoreError) {
            let isDeleted = try await services.projects.deleteProject(
                call.project.id,
                scope: call.principal.scope,
                audit: draft(request, call, "project.deleted", [AuditDetail("name", call.project.name)])
            )
            guard isDeleted else { throw .notFound }
            services.bus.publish(BusChannel.removals, [])
        } catch .conflict {
            throw ProblemError(.projectBusy)
        } catch .notFound {
            throw ProblemError(.missing("project"))
        }
        return .noContent
    }
    /// Describes an act on a project.
    func draft(
        _ request: HTTPRequest,
        _ call: ProjectCall,
        _ action: String,
        outcome: AuditOutcome = .succeeded,
        _ details: [AuditDetail] = []
    ) -> AuditDraft {
        request.auditDraft(
            call.principal,
            action,
            team: call.project.teamID,
            target: call.project.id.description,
            outcome: outcome,
            at: services.time.now,
            details: details
        )
    }
}
