import Bytes
import Core
import HTTP

extension HTTPRequest {
    /// Describes an act of this request on the team that its gate let it through to.
    func auditDraft(
        _ call: TeamCall,
        _ action: String,
        target: String? = nil,
        at now: Timestamp,
        details: [AuditDetail] = []
    ) -> AuditDraft {
        auditDraft(
            call.principal,
            action,
            team: call.team.id,
            target: target ?? call.team.id.description,
            at: now,
            details: details
        )
    }
}
