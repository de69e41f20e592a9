package import Bytes
package import Crypto

/// Why stored signing keys cannot be used.
package enum SigningKeySetError: Error, Sendable, Equatable {
    /// Not the JSON that we write; names what is wrong, never a key.
    case malformed(String)
    /// Written by a later version.
    case unknownVersion
}

/// The signing keys as they are kept: a secret document, never empty, with one key that signs.
package struct SigningKeySet: Sendable {
    /// All keys that may still verify, oldest first.
    package let keys: [SigningKey]
    /// The key that signs: the last that was made.
    package let active: SigningKey

    private static let version: Int64 = 1

    /// A set of one new key.
    package init(firstKeyAt now: Timestamp) throws(CryptoError) {
        self.init(older: [], active: try .generate(at: now))
    }

    private init(older: [SigningKey], active: SigningKey) {
        keys = older + [active]
        self.active = active
    }

    /// The set in which a new key signs and the others verify until the last token they may have signed has expired.
    package func rotated(at now: Timestamp) throws(CryptoError) -> SigningKeySet {
        let end = now.adding(AccessTokenTimes.maximumLifetime)
        let older = keys.filter { !$0.isRetired(at: now) }.map {
            SigningKey(key: $0.key, createdAt: $0.createdAt, retiresAt: $0.retiresAt ?? end)
        }
        return SigningKeySet(older: older, active: try .generate(at: now))
    }

    /// Reads a stored document.
    package init(document: [UInt8]) throws(SigningKeySetError) {
        guard let root = (try? JSONReader.parse(document))?.object else { throw .malformed("not JSON") }
        guard root["version"]?.integer == Self.version else { throw .unknownVersion }
        var keys: [SigningKey] = []
        for entry in root["keys"]?.array ?? [] { keys.append(try Self.key(entry)) }
        guard let active = keys.popLast() else { throw .malformed("no key") }
        guard active.retiresAt == nil else { throw .malformed("the last key has retired") }
        guard Set((keys + [active]).map(\.identifier)).count == keys.count + 1 else { throw .malformed("repeated key") }
        self.init(older: keys, active: active)
    }

    /// The document to store; it holds the secret seeds.
    package func document() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", Self.version)
        writer.key("keys")
        writer.beginArray()
        for key in keys {
            writer.beginObject()
            writer.member("seed", Base64.encodeURL(key.key.seed))
            writer.member("created_at", key.createdAt)
            writer.member("retires_at", key.retiresAt)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func key(_ entry: JSONValue) throws(SigningKeySetError) -> SigningKey {
        guard let seed = entry["seed"]?.string.flatMap({ Base64.decodeURL($0) }),
            let key = try? Ed25519PrivateKey(seed: seed)
        else { throw .malformed("seed") }
        guard let createdAt = entry["created_at"]?.string.flatMap(Timestamp.init(rfc3339:)) else {
            throw .malformed("created_at")
        }
        guard let retires = entry["retires_at"], !retires.isNull else {
            return SigningKey(key: key, createdAt: createdAt)
        }
        guard let retiresAt = retires.string.flatMap(Timestamp.init(rfc3339:)) else { throw .malformed("retires_at") }
        return SigningKey(key: key, createdAt: createdAt, retiresAt: retiresAt)
    }
}
