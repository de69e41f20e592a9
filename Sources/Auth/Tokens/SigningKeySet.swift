package import Bytes
package import Crypto

/// Why stored signing keys cannot be used.
package enum SigningKeySetError: Error, Sendable, Equatable {
    /// Not the JSON that we write; names what is wrong, never a key.
    case malformed(String)
    /// Written by a later version.
    case unknownVersion
}

/// The signing keys as they are kept: a secret document, never empty, whose newest key signs or is about to.
package struct SigningKeySet: Sendable {
    /// All keys that may still verify, oldest first.
    package let keys: [SigningKey]
    /// The newest key, which signs once its time has come.
    package let active: SigningKey
    /// What devices' tokens are made by, first, and known by; rotations leave it, for they come faster than devices go.
    let deviceKeys: [[UInt8]]

    private static let version: Int64 = 1
    private static let devicePurpose = [UInt8]("errand known device 1".utf8)
    private static let deviceKeyLength = 32

    /// A set of one new key.
    package init(firstKeyAt now: Timestamp) throws(CryptoError) {
        self.init(older: [], active: try .generate(at: now), deviceKeys: [Self.newDeviceKey()])
    }

    private init(older: [SigningKey], active: SigningKey, deviceKeys: [[UInt8]]) {
        keys = older + [active]
        self.active = active
        self.deviceKeys = deviceKeys
    }

    private static func newDeviceKey() -> [UInt8] { SecureRandom.bytes(deviceKeyLength) }

    /// The key that signs at an instant: the newest whose time has come.
    package func signer(at now: Timestamp) -> SigningKey {
        keys.last { $0.signsFrom <= now && !$0.isRetired(at: now) } ?? active
    }

    /// The set in which a new key signs after `delay`, and the others verify until the last token they may sign expires.
    package func rotated(at now: Timestamp, delay: Duration = .zero) throws(CryptoError) -> SigningKeySet {
        let start = now.adding(delay)
        let end = start.adding(AccessTokenTimes.maximumLifetime)
        let older = keys.filter { !$0.isRetired(at: now) }.map { $0.retiring(at: $0.retiresAt ?? end) }
        return SigningKeySet(older: older, active: try .generate(at: now, signsFrom: start), deviceKeys: deviceKeys)
    }

    /// The set without a key, nothing of which is believed any more; nil when it has no such key.
    ///
    /// Somebody always signs: without the newest key a new one takes over at once, and without the one that signs the
    /// newest does not wait any longer. Devices are not known any more either: whoever had the file could make their tokens.
    package func removing(_ identifier: String, at now: Timestamp) throws(CryptoError) -> SigningKeySet? {
        let standing = keys.filter { !$0.isRetired(at: now) }
        let rest = standing.filter { $0.identifier != identifier }
        guard rest.count < standing.count else { return nil }
        let deviceKeys = [Self.newDeviceKey()]
        guard identifier != active.identifier else {
            return SigningKeySet(older: rest, active: try .generate(at: now), deviceKeys: deviceKeys)
        }
        let older = rest.filter { $0.identifier != active.identifier }
        let canWait = older.contains { $0.signsFrom <= now } || active.signsFrom <= now
        return SigningKeySet(
            older: older,
            active: canWait ? active : active.signing(from: now),
            deviceKeys: deviceKeys
        )
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
        self.init(older: keys, active: active, deviceKeys: try Self.deviceKeys(root, of: keys + [active]))
    }

    /// The devices' keys of a document; one that has none is from when they came of the signing keys.
    private static func deviceKeys(
        _ root: JSONObject,
        of keys: [SigningKey]
    ) throws(SigningKeySetError) -> [[UInt8]] {
        guard let member = root["device_keys"] else {
            return keys.reversed().map { Digest.hmacSHA256(key: $0.key.seed, devicePurpose) }
        }
        let found = member.array?.compactMap { $0.string.flatMap { Base64.decodeURL($0) } } ?? []
        guard !found.isEmpty, found.count == member.array?.count, found.allSatisfy({ $0.count == deviceKeyLength })
        else { throw .malformed("device_keys") }
        return found
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
            writer.member("signs_from", key.signsFrom)
            writer.member("retires_at", key.retiresAt)
            writer.endObject()
        }
        writer.endArray()
        writer.key("device_keys")
        writer.beginArray()
        for key in deviceKeys { writer.string(Base64.encodeURL(key)) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func key(_ entry: JSONValue) throws(SigningKeySetError) -> SigningKey {
        guard let seed = entry["seed"]?.string.flatMap({ Base64.decodeURL($0) }),
            let key = try? Ed25519PrivateKey(seed: seed)
        else { throw .malformed("seed") }
        guard let createdAt = try time(entry, "created_at") else { throw .malformed("created_at") }
        // A set that says nothing of it was written when keys signed at once.
        return SigningKey(
            key: key,
            createdAt: createdAt,
            signsFrom: try time(entry, "signs_from"),
            retiresAt: try time(entry, "retires_at")
        )
    }

    private static func time(_ entry: JSONValue, _ name: String) throws(SigningKeySetError) -> Timestamp? {
        guard let value = entry[name], !value.isNull else { return nil }
        guard let time = value.string.flatMap(Timestamp.init(rfc3339:)) else { throw .malformed(name) }
        return time
    }
}

extension SigningKey {
    fileprivate func retiring(at end: Timestamp) -> SigningKey {
        SigningKey(key: key, createdAt: createdAt, signsFrom: signsFrom, retiresAt: end)
    }

    fileprivate func signing(from start: Timestamp) -> SigningKey {
        SigningKey(key: key, createdAt: createdAt, signsFrom: start, retiresAt: retiresAt)
    }
}
