import Bytes
import Core
import Operations
import Platform

extension AuditDraft {
    /// Describes what somebody does at this machine's own command line.
    static func administration(
        _ action: String,
        team: TeamID? = nil,
        target: String? = nil,
        outcome: AuditOutcome = .succeeded,
        at now: Timestamp = WallClock.now(),
        details: [AuditDetail] = []
    ) -> AuditDraft {
        AuditDraft(
            at: now,
            team: team,
            actor: .administrator(SystemUser.currentName),
            action: action,
            outcome: outcome,
            target: target,
            details: details
        )
    }
}
