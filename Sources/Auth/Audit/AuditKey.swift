package import Bytes
package import Core
import Crypto

/// Why a stored audit key cannot be used.
package enum AuditKeyError: Error, Sendable, Equatable {
    /// Not the JSON that we write; names what is wrong, never the key.
    case malformed(String)
    /// Written by a later version.
    case unknownVersion
}

/// The key that signs checkpoints of the audit log, and the name of this installation's log.
package struct AuditKey: Sendable {
    /// The log's name, as in `errand.example.org/audit`; each chain's is below it.
    package let name: String
    private let key: Ed25519PrivateKey
    private let createdAt: Timestamp

    private static let version: Int64 = 1

    /// A new key for the log of an installation, called after its host.
    package init(host: String, at now: Timestamp) throws {
        key = try .generate()
        createdAt = now
        name = host + "/audit"
        guard publicKey != nil else { throw AuditKeyError.malformed("name") }
    }

    /// Reads a stored document.
    package init(document: [UInt8]) throws(AuditKeyError) {
        guard let root = (try? JSONReader.parse(document))?.object else { throw .malformed("not JSON") }
        guard root["version"]?.integer == Self.version else { throw .unknownVersion }
        guard let seed = root["seed"]?.string.flatMap({ Base64.decodeURL($0) }),
            let key = try? Ed25519PrivateKey(seed: seed)
        else { throw .malformed("seed") }
        guard let createdAt = root["created_at"]?.string.flatMap(Timestamp.init(rfc3339:)) else {
            throw .malformed("created_at")
        }
        guard let name = root["name"]?.string, NoteVerifier.isName(name) else { throw .malformed("name") }
        self.key = key
        self.name = name
        self.createdAt = createdAt
    }

    /// The document to store; it holds the secret seed.
    package func document() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", Self.version)
        writer.member("name", name)
        writer.member("seed", Base64.encodeURL(key.seed))
        writer.member("created_at", createdAt)
        writer.endObject()
        return writer.bytes
    }

    /// What verifies the log's checkpoints; may be published.
    package var publicKey: AuditPublicKey? { AuditPublicKey(name: name, key: key.publicKey) }

    /// Signs the tree of a chain up to where it was verified.
    package func sign(_ edge: AuditChainVerifier) throws -> AuditCheckpoint {
        try sign(edge.chain, size: edge.frontier.size, root: edge.frontier.root)
    }

    /// Signs the root of a chain's tree.
    package func sign(_ chain: AuditChain, size: UInt64, root: [UInt8]) throws -> AuditCheckpoint {
        guard let key = NoteSigningKey(name: AuditCheckpoint.origin(name, chain), key: key) else {
            throw AuditKeyError.malformed("name")
        }
        let text = AuditCheckpoint.text(origin: key.verifier.name, size: size, root: root)
        return AuditCheckpoint(chain: chain, size: size, root: root, note: try SignedNote(text: text, key: key))
    }
}

/// What verifies the checkpoints of one installation's log.
package struct AuditPublicKey: Sendable, CustomStringConvertible {
    private let log: NoteVerifier

    init?(name: String, key: Ed25519PublicKey) {
        guard let log = NoteVerifier(name: name, key: key) else { return nil }
        self.log = log
    }

    /// Reads the form `name+hash+base64`.
    package init?(_ text: some StringProtocol) {
        guard let log = NoteVerifier(text) else { return nil }
        self.log = log
    }

    package var description: String { log.description }

    /// The key as a checkpoint of a chain names it, in the form that witnesses are given.
    package func verifier(of chain: AuditChain) -> NoteVerifier? {
        NoteVerifier(name: AuditCheckpoint.origin(log.name, chain), key: log.key)
    }

    /// The chain that an origin names; nil for another log's.
    func chain(origin: some StringProtocol) -> AuditChain? {
        guard origin.hasPrefix(log.name + "/") else { return nil }
        return AuditChain(origin.dropFirst(log.name.count + 1))
    }
}
