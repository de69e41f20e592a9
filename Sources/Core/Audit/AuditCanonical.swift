import Bytes

/// A draft made into the bytes that are kept: the same act always gives the same bytes, and they are never written anew.
///
/// The canonical form is a version byte, the identifier (16 bytes), the time (8), and then texts, each with its length in
/// front (4 bytes, big-endian; all ones for a text that is absent): the team, the actor's kind, name and companion, the
/// action, the outcome, the target and the request. The database adds the SHA-256 of the personal part, which holds a
/// random salt (16 bytes), then the address, the client, the number of details (4 bytes) and their names and values.
package struct SealedAuditDraft: Sendable, Equatable {
    package let chain: AuditChain
    /// Without the digest of `personal`, which the database adds.
    package let canonical: [UInt8]
    package let personal: [UInt8]
    package let actor: String
    package let action: String
    package let target: String?

    /// Seals an act within the limits; the salt keeps the digest of what is erased from being guessed.
    package init(_ draft: AuditDraft, salt: [UInt8] = Self.randomSalt()) {
        let draft = draft.bounded
        chain = AuditChain(draft.team)
        canonical = Self.canonical(draft)
        personal = Self.personal(draft, salt)
        actor = draft.actor.text
        action = draft.action
        target = draft.target
    }

    /// Bytes of the salt.
    package static let saltLength = 16

    /// Unpredictable bytes from the system.
    package static func randomSalt() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        var salt: [UInt8] = []
        salt.reserveCapacity(saltLength)
        salt.appendBigEndian(random.next() as UInt64)
        salt.appendBigEndian(random.next() as UInt64)
        return salt
    }

    private static func canonical(_ draft: AuditDraft) -> [UInt8] {
        var bytes: [UInt8] = [AuditEntry.version]
        bytes.reserveCapacity(320)
        bytes += draft.id.uuidBytes
        bytes.appendBigEndian(draft.at.milliseconds)
        let (kind, name, companion) = draft.actor.parts
        for text in [
            draft.team?.description, kind, name, companion, draft.action, draft.outcome.rawValue, draft.target,
            draft.request?.description,
        ] { bytes.appendText(text) }
        return bytes
    }

    private static func personal(_ draft: AuditDraft, _ salt: [UInt8]) -> [UInt8] {
        var bytes = salt
        bytes.appendText(draft.address)
        bytes.appendText(draft.userAgent)
        bytes.appendBigEndian(UInt32(draft.details.count))
        for detail in draft.details {
            bytes.appendText(detail.name)
            bytes.appendText(detail.value)
        }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func appendText(_ text: String?) {
        guard let text else { return appendBigEndian(UInt32.max) }
        appendBigEndian(UInt32(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}

extension AuditActor {
    /// How queries name the actor.
    package var text: String {
        switch self {
        case .user(let id, _): id.description
        case .key(let id, _): id.description
        case .worker(let id): id.description
        case .administrator(let name): "administrator:" + name
        case .stranger: "stranger"
        case .system: "system"
        }
    }

    /// What sort of actor it is.
    package var kind: String { parts.kind }

    /// Kind, name, and who or what stands beside: the device, or whom a key acts for.
    var parts: (kind: String, name: String?, companion: String?) {
        switch self {
        case .user(let id, let device): ("user", id.description, device?.description)
        case .key(let id, let person): ("key", id.description, person)
        case .worker(let id): ("worker", id.description, nil)
        case .administrator(let name): ("administrator", name, nil)
        case .stranger: ("stranger", nil, nil)
        case .system: ("system", nil, nil)
        }
    }

    /// Reads what `parts` gives; nil for anything else.
    init?(kind: String, name: String?, companion: String?) {
        switch (kind, name, companion) {
        case ("user", let name?, nil):
            guard let id = UserID(name) else { return nil }
            self = .user(id, device: nil)
        case ("user", let name?, let companion?):
            guard let id = UserID(name), let device = SignInID(companion) else { return nil }
            self = .user(id, device: device)
        case ("key", let name?, let companion?):
            guard let id = APIKeyID(name) else { return nil }
            self = .key(id, actingFor: companion)
        case ("worker", let name?, nil):
            guard let id = WorkerID(name) else { return nil }
            self = .worker(id)
        case ("administrator", let name?, nil): self = .administrator(name)
        case ("stranger", nil, nil): self = .stranger
        case ("system", nil, nil): self = .system
        default: return nil
        }
    }
}
