import Bytes
import Core
import HTTP

extension Endpoints {
    /// Creates a project in a team: `POST /v1/projects`.
    func createProject(_ request: HTTPRequest, _ call: PersonCall) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                name: fields.name("name", maximum: 100),
                team: fields.id("team_id", TeamNoun.self, required: false),
                policy: fields.choice("policy", AgentPolicy.self)
            )
        }
        let team = try await team(form.team, for: call).team
        let now = services.time.now
        let project = Project(
            id: ProjectID(at: now),
            teamID: team.id,
            name: form.name ?? "",
            policy: form.policy ?? .contained,
            homeWorker: nil,
            createdAt: now,
            updatedAt: now
        )
        let audit = request.auditDraft(
            call.principal,
            "project.created",
            team: team.id,
            target: project.id.description,
            at: now,
            details: [AuditDetail("name", project.name), AuditDetail("policy", project.policy.rawValue)]
        )
        do throws(StoreError) {
            try await services.projects.createProject(project, scope: call.principal.scope, audit: audit)
        } catch {
            // Its deletion began after the gate had looked.
            throw error == .conflict(field: "team") ? ProblemError(.teamDeleting) : ProblemError(Problem(error))
        }
        var response = HTTPResponse.json(201, document { ProjectView.write(project, to: &$0) })
        response.headers.append(name: "location", value: "/v1/projects/\(project.id)")
        return response
    }
}
