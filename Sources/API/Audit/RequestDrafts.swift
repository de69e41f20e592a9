import Bytes
import Core
import HTTP
import Platform

extension HTTPRequest {
    /// Describes an act of this request, with who asks, from where and by what client.
    ///
    /// Without a principal it is a stranger's.
    func auditDraft(
        _ principal: Principal?,
        _ action: String,
        team: TeamID?,
        target: String? = nil,
        outcome: AuditOutcome = .succeeded,
        at now: Timestamp = WallClock.now(),
        details: [AuditDetail] = []
    ) -> AuditDraft {
        auditDraft(
            by: principal?.auditActor ?? .stranger,
            action,
            team: team,
            target: target,
            outcome: outcome,
            at: now,
            details: details
        )
    }

    /// Describes an act of this request by whoever it proved to be.
    func auditDraft(
        by actor: AuditActor,
        _ action: String,
        team: TeamID?,
        target: String? = nil,
        outcome: AuditOutcome = .succeeded,
        at now: Timestamp = WallClock.now(),
        details: [AuditDetail] = []
    ) -> AuditDraft {
        AuditDraft(
            at: now,
            team: team,
            actor: actor,
            action: action,
            outcome: outcome,
            target: target,
            address: remoteAddress,
            userAgent: headers["user-agent"],
            request: RequestID(requestID),
            details: details
        )
    }
}

extension Principal {
    /// Who the audit log says acted.
    var auditActor: AuditActor {
        switch self {
        case .person(let person): .user(person.user, device: person.signIn)
        case .key(let key): .key(key.id, actingFor: key.account.description)
        }
    }
}
