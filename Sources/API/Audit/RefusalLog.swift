import Auth
import Bytes
import Core
import HTTP
import Platform

/// Records what gates refuse; of one person who is refused without end, each minute's rest as one entry with a count.
///
/// So that nobody fills the audit log by asking for what they may not have.
final class RefusalLog {
    /// More than a person meets by mistake, and enough to see what a hostile one looks for.
    static let perMinute = 30
    /// People of whom the present minute is known; past it everybody's is closed early.
    private static let capacity = 10_000
    private static let span = Duration.seconds(60)

    private let audit: any AuditStore
    private let time: any TimeSource
    private let loop: EventLoop
    private var minutes: [Key: Minute] = [:]

    private struct Key: Hashable {
        let account: ActingAccount
        let team: TeamID?
    }

    private struct Minute {
        let began: Instant
        var recorded = 0
        /// The last one that was only counted.
        var last: AuditDraft?
        var counted = 0
    }

    init(audit: any AuditStore, time: any TimeSource, loop: EventLoop) {
        self.audit = audit
        self.time = time
        self.loop = loop
    }

    /// Records a refusal before it is answered; a log that cannot be reached does not turn a refusal into anything else.
    func record(_ refusal: Refusal, of request: HTTPRequest, operation: String) async {
        var details = [AuditDetail("operation", operation), AuditDetail("code", refusal.problem.code)]
        if let permission = refusal.permission { details.append(AuditDetail("permission", permission.rawValue)) }
        let draft = request.auditDraft(
            refusal.principal,
            "permission.refused",
            team: refusal.team,
            target: refusal.target,
            outcome: .refused,
            at: time.now,
            details: details
        )
        guard admit(draft, Key(account: refusal.principal.account, team: refusal.team)) else { return }
        try? await audit.record([draft])
    }

    /// Whether a draft is recorded by itself; else it is counted.
    private func admit(_ draft: AuditDraft, _ key: Key) -> Bool {
        if minutes[key] == nil {
            if minutes.count >= Self.capacity { closeAll() }
            minutes[key] = Minute(began: loop.now)
            _ = loop.schedule(after: Self.span) { [weak self] in self?.close(key) }
        }
        guard var minute = minutes[key] else { return true }
        defer { minutes[key] = minute }
        if minute.recorded < Self.perMinute {
            minute.recorded += 1
            return true
        }
        minute.counted += 1
        minute.last = draft
        return false
    }

    /// Records what was counted so far, before its minute is over.
    func closeAll() {
        for key in Array(minutes.keys) { close(key) }
    }

    private func close(_ key: Key) {
        guard let minute = minutes.removeValue(forKey: key), var draft = minute.last else { return }
        draft.details = [AuditDetail("further", "\(minute.counted)")] + draft.details
        let summary = draft
        loop.spawnLocal { [audit] in try? await audit.record([summary]) }
    }
}
