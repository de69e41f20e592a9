package import Bytes

/// A chain of the audit log: each team has one, and one holds the acts outside a team.
package enum AuditChain: Hashable, Comparable, Sendable, CustomStringConvertible {
    case installation
    case team(TeamID)

    private static let installationName = "installation"

    /// The chain of a team, or of the installation.
    package init(_ team: TeamID?) {
        self = team.map { .team($0) } ?? .installation
    }

    /// Reads the text form.
    package init?(_ text: some StringProtocol) {
        if text == Self.installationName {
            self = .installation
        } else if let team = TeamID(text) {
            self = .team(team)
        } else {
            return nil
        }
    }

    /// The chain that a database knows by a UUID; the nil UUID is the installation's.
    package init(uuid: TeamID) {
        self = uuid.high == 0 && uuid.low == 0 ? .installation : .team(uuid)
    }

    /// The team, if it is a team's.
    package var team: TeamID? { if case .team(let team) = self { team } else { nil } }

    /// The UUID by which the database knows it.
    package var uuid: TeamID { team ?? TeamID(high: 0, low: 0) }

    package var description: String { team?.description ?? Self.installationName }

    package static func < (left: AuditChain, right: AuditChain) -> Bool { left.uuid < right.uuid }
}

/// A place in a chain; later entries have greater ones, whatever the clock does.
package struct AuditPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// When the entry was written.
    package var recordedAt: Timestamp
    /// The entry's number in its chain, from 1 on.
    package var seq: Int64

    /// Names a place.
    package init(recordedAt: Timestamp, seq: Int64) {
        self.recordedAt = recordedAt
        self.seq = seq
    }

    /// Reads the text form.
    package init?(_ text: some StringProtocol) {
        let halves = text.split(separator: "-", omittingEmptySubsequences: false)
        guard halves.count == 2, text.utf8.count <= 40,
            text.utf8.allSatisfy({ $0 == 0x2d || (0x30...0x39).contains($0) }),
            let milliseconds = Int64(halves[0]), let seq = Int64(halves[1])
        else { return nil }
        self.init(recordedAt: Timestamp(milliseconds: milliseconds), seq: seq)
    }

    /// Before every entry.
    package static let start = AuditPosition(recordedAt: Timestamp(milliseconds: 0), seq: 0)
    /// After every entry.
    package static let end = AuditPosition(recordedAt: Timestamp(milliseconds: .max), seq: .max)

    package var description: String { "\(recordedAt.milliseconds)-\(seq)" }

    package static func < (left: AuditPosition, right: AuditPosition) -> Bool {
        (left.recordedAt, left.seq) < (right.recordedAt, right.seq)
    }
}

/// What a listing of a chain is narrowed to.
package struct AuditFilter: Sendable, Equatable {
    /// Entries written at this instant or later.
    package var from: Timestamp?
    /// Entries written before this instant.
    package var to: Timestamp?
    /// The actor's text form.
    package var actor: String?
    package var action: String?
    package var target: String?

    /// No narrowing.
    package init() {}

    /// Whether an entry's columns are looked at, and not only its time.
    package var looksAtColumns: Bool { actor != nil || action != nil || target != nil }

    /// Whether it lets an entry through.
    package func matches(_ entry: StoredAuditEntry) -> Bool {
        let at = entry.position.recordedAt
        return from.map { at >= $0 } ?? true && to.map { at < $0 } ?? true && actor.map { entry.actor == $0 } ?? true
            && action.map { entry.action == $0 } ?? true && target.map { entry.target == $0 } ?? true
    }

    /// What it narrows to, as facts for the log itself.
    package var details: [AuditDetail] {
        [
            ("from", from?.rfc3339), ("to", to?.rfc3339), ("actor", actor), ("action", action), ("target", target),
        ].compactMap { name, value in value.map { AuditDetail(name, $0) } }
    }
}

/// One page of a chain, newest first.
package struct AuditPage: Sendable, Equatable {
    package var items: [StoredAuditEntry]
    /// Where the next page begins; nil at the chain's beginning.
    ///
    /// A page with few items may have one: a listing looks at a bounded number of entries at a time.
    package var next: AuditPosition?

    /// Makes a page.
    package init(items: [StoredAuditEntry], next: AuditPosition?) {
        self.items = items
        self.next = next
    }
}
