import Core
import HTTP

extension Endpoints {
    /// Lets a team demand a second factor of its members, or not: `PUT /v1/teams/{id}/second-factor`.
    func setSecondFactorPolicy(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let person = try person(of: call)
        let required = try await request.jsonObject { $0.boolean("required", required: true) } ?? false
        try await demandFresh(person)
        let verdict = try await services.factors.setFactorPolicy(
            call.team.id,
            isRequired: required,
            scope: person.scope,
            audit: request.auditDraft(
                call,
                "team.factor_policy_changed",
                at: services.time.now,
                details: [AuditDetail("require_second_factor", "\(required)")]
            )
        )
        switch verdict {
        case .done, .unchanged: return try await teamAnswer(call)
        case .unknown: throw ProblemError(.missing("team"))
        case .closing: throw ProblemError(.teamDeleting)
        case .unenrolled: throw ProblemError(.factorPolicyUnenrolled)
        // The role was taken away since the gate asked.
        case .forbidden:
            throw Refusal(
                .forbidden("Only an owner may say whether the team demands second factors."),
                call.principal,
                call.permission,
                team: call.team.id,
                target: call.team.auditName
            )
        }
    }
}
