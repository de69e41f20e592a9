package import Bytes

/// What an entry says, read from its canonical bytes.
package struct AuditEntry: Sendable, Equatable {
    package let id: AuditEntryID
    package let at: Timestamp
    package let team: TeamID?
    package let actor: AuditActor
    package let action: String
    package let outcome: AuditOutcome
    package let target: String?
    package let request: RequestID?
    /// The SHA-256 of the personal part, which proves it without holding it.
    package let personalDigest: [UInt8]

    /// The version of the canonical form that is written.
    static let version: UInt8 = 1
    /// Bytes of the digest at the end.
    private static let digestLength = 32

    /// Reads canonical bytes, all of them; nil for what was not written so.
    package init?(canonical: [UInt8]) {
        var reader = AuditReader(canonical)
        guard reader.byte() == Self.version, let id = reader.bytes(16).flatMap({ AuditEntryID(uuidBytes: $0) }),
            let milliseconds = reader.integer(Int64.self), case .some(let team) = reader.text(),
            let kind = reader.presentText(), case .some(let name) = reader.text(),
            case .some(let companion) = reader.text(),
            let actor = AuditActor(kind: kind, name: name, companion: companion),
            let action = reader.presentText(), let outcome = reader.presentText().flatMap(AuditOutcome.init(rawValue:)),
            case .some(let target) = reader.text(), case .some(let request) = reader.text(),
            let digest = reader.bytes(Self.digestLength), reader.isAtEnd
        else { return nil }
        self.id = id
        at = Timestamp(milliseconds: milliseconds)
        self.actor = actor
        self.action = action
        self.outcome = outcome
        self.target = target
        personalDigest = Array(digest)
        self.team = team.flatMap { TeamID($0) }
        self.request = request.flatMap { RequestID($0) }
        // A name that is none would be read as absent.
        guard self.team?.description == team, self.request?.description == request else { return nil }
    }
}

/// The part of an entry that may be erased.
package struct AuditPersonalPart: Sendable, Equatable {
    package let address: String?
    package let userAgent: String?
    package let details: [AuditDetail]

    /// Reads its bytes, all of them; nil for what was not written so.
    package init?(_ bytes: [UInt8]) {
        var reader = AuditReader(bytes)
        guard reader.bytes(SealedAuditDraft.saltLength) != nil, case .some(let address) = reader.text(),
            case .some(let userAgent) = reader.text(), let count = reader.integer(UInt32.self),
            count <= UInt32(AuditLimits.details)
        else { return nil }
        var details: [AuditDetail] = []
        for _ in 0..<count {
            guard let name = reader.presentText(), let value = reader.presentText() else { return nil }
            details.append(AuditDetail(name, value))
        }
        guard reader.isAtEnd else { return nil }
        self.address = address
        self.userAgent = userAgent
        self.details = details
    }
}

/// Takes canonical bytes apart.
private struct AuditReader {
    private var cursor: ByteCursor

    init(_ bytes: [UInt8]) { cursor = ByteCursor(bytes) }

    var isAtEnd: Bool { cursor.remaining == 0 }

    mutating func byte() -> UInt8? { cursor.read(UInt8.self) }

    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? { cursor.read(count: count) }

    mutating func integer<T: FixedWidthInteger>(_ type: T.Type) -> T? { cursor.read(type) }

    /// The next text, which may be absent; nil when the bytes are malformed.
    mutating func text() -> String?? {
        guard let length = cursor.read(UInt32.self) else { return nil }
        guard length != .max else { return .some(nil) }
        guard let bytes = cursor.read(count: Int(length)), let text = String(strictUTF8: Array(bytes)) else {
            return nil
        }
        return .some(text)
    }

    /// The next text, which must be there.
    mutating func presentText() -> String? { text().flatMap(\.self) }
}
