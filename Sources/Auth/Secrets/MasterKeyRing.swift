package import Bytes
package import Core

/// Why a document of master keys cannot be used.
package enum MasterKeyRingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Not the JSON that we write; names what is wrong, never a key.
    case malformed(String)
    /// Written by a later version.
    case unknownVersion

    package var description: String {
        switch self {
        case .malformed(let what): "the master keys are damaged: \(what)"
        case .unknownVersion: "the master keys were written by a later version of errand"
        }
    }
}

/// The master keys of an installation, oldest first: the last one wraps, all of them unwrap.
package struct MasterKeyRing: Sendable {
    /// All keys; the last is the current one.
    package let keys: [MasterKey]
    /// The key under which new secrets are sealed.
    package let current: MasterKey

    private static let version: Int64 = 1
    /// A ring that grows beyond this was never cleared of what nothing uses.
    private static let limit = 64

    /// A ring of one new key.
    package init(firstKeyAt now: Timestamp) {
        self.init(older: [], current: .generate(at: now))
    }

    private init(older: [MasterKey], current: MasterKey) {
        keys = older + [current]
        self.current = current
    }

    /// The ring in which a new key wraps and the others unwrap until they are removed.
    package func rotated(at now: Timestamp) -> MasterKeyRing {
        MasterKeyRing(older: keys, current: .generate(at: now))
    }

    /// The ring without some of its older keys; the current one stays.
    package func without(_ ids: Set<MasterKeyID>) -> MasterKeyRing {
        MasterKeyRing(older: keys.dropLast().filter { !ids.contains($0.id) }, current: current)
    }

    /// The key of a name.
    package subscript(id: MasterKeyID) -> MasterKey? { keys.first { $0.id == id } }

    /// Reads a stored document.
    package init(document: [UInt8]) throws(MasterKeyRingError) {
        guard let root = (try? JSONReader.parse(document))?.object else { throw .malformed("not JSON") }
        guard root["version"]?.integer == Self.version else { throw .unknownVersion }
        let entries = root["keys"]?.array ?? []
        guard entries.count <= Self.limit else { throw .malformed("more than \(Self.limit) keys") }
        var keys: [MasterKey] = []
        for entry in entries { keys.append(try Self.key(entry)) }
        guard let current = keys.popLast() else { throw .malformed("no key") }
        guard Set((keys + [current]).map(\.id)).count == entries.count else { throw .malformed("repeated key") }
        self.init(older: keys, current: current)
    }

    /// The document to store; it holds the keys.
    package func document() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", Self.version)
        writer.key("keys")
        writer.beginArray()
        for key in keys {
            writer.beginObject()
            // For people who compare files; what counts is computed from the key.
            writer.member("id", key.id.description)
            writer.member("key", Base64.encodeURL(key.bytes))
            writer.member("created_at", key.createdAt)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func key(_ entry: JSONValue) throws(MasterKeyRingError) -> MasterKey {
        guard let createdAt = entry["created_at"]?.string.flatMap(Timestamp.init(rfc3339:)) else {
            throw .malformed("created_at")
        }
        guard let bytes = entry["key"]?.string.flatMap({ Base64.decodeURL($0) }),
            let key = MasterKey(bytes, createdAt: createdAt)
        else { throw .malformed("key") }
        guard entry["id"]?.string == key.id.description else { throw .malformed("a key and its id are not a pair") }
        return key
    }
}
