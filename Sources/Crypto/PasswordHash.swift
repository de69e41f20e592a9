private import Bytes

/// Stored password hashes: argon2id in the PHC string format.
package enum PasswordHash {
    /// Bytes of salt that a new hash needs at least (RFC 9106).
    package static let saltLength = 16
    private static let tagLength = 32

    /// The PHC string of a new hash; it takes as long and as much memory as its parameters say, so never call it on a loop.
    package static func make(
        password: [UInt8],
        salt: [UInt8],
        _ parameters: Argon2Parameters
    ) throws(CryptoError) -> String {
        guard salt.count >= saltLength, salt.count <= PHCString.saltLengths.upperBound else {
            throw CryptoError(stage: "password hash", reason: .invalidSalt)
        }
        let tag = try Argon2.tag(password: password, salt: salt, parameters, length: tagLength)
        return PHCString(parameters: parameters, salt: salt, tag: tag).text
    }

    /// Whether `password` is the one that was hashed; a stored string that is malformed or too costly is refused unhashed.
    package static func verify(password: [UInt8], phc: String) throws(CryptoError) -> Bool {
        let stored = try PHCString(phc)
        let tag = try Argon2.tag(
            password: password,
            salt: stored.salt,
            stored.parameters,
            length: stored.tag.count
        )
        return constantTimeEqual(tag, stored.tag)
    }

    /// A hash that no password is known to match, at the cost of `parameters` to whoever tries one; making it costs nothing.
    package static func unmatchable(_ parameters: Argon2Parameters) -> String {
        let (salt, tag) = (SecureRandom.bytes(saltLength), SecureRandom.bytes(tagLength))
        return PHCString(parameters: parameters, salt: salt, tag: tag).text
    }

    /// Whether a stored hash was cheaper to make than `parameters` are, or cannot be read; lanes add nothing to its cost.
    package static func needsRehash(_ phc: String, _ parameters: Argon2Parameters) -> Bool {
        guard let stored = try? PHCString(phc) else { return true }
        return stored.parameters.memoryKiB < parameters.memoryKiB
            || stored.parameters.iterations < parameters.iterations || stored.tag.count < tagLength
            || stored.salt.count < saltLength
    }
}

/// The fields of `$argon2id$v=19$m=…,t=…,p=…$salt$tag`.
private struct PHCString {
    let parameters: Argon2Parameters
    let salt: [UInt8]
    let tag: [UInt8]

    static let saltLengths = 8...64
    private static let tagLengths = 16...64
    private static let maximumLength = 256

    init(parameters: Argon2Parameters, salt: [UInt8], tag: [UInt8]) {
        self.parameters = parameters
        self.salt = salt
        self.tag = tag
    }

    init(_ text: String) throws(CryptoError) {
        let fields = text.split(separator: "$", maxSplits: 6, omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.maximumLength, fields.count == 6, fields[0].isEmpty, fields[1] == "argon2id",
            fields[2] == "v=19", let costs = Self.costs(fields[3]), let salt = Self.unpadded(fields[4]),
            let tag = Self.unpadded(fields[5]), Self.saltLengths.contains(salt.count),
            Self.tagLengths.contains(tag.count)
        else { throw CryptoError(stage: "stored password hash", reason: .malformedHash) }
        guard costs.isWithinLimits else { throw CryptoError(stage: "stored password hash", reason: .invalidParameters) }
        self.init(parameters: costs, salt: salt, tag: tag)
    }

    var text: String {
        let costs = "m=\(parameters.memoryKiB),t=\(parameters.iterations),p=\(parameters.lanes)"
        return "$argon2id$v=19$\(costs)$\(Self.unpadded(salt))$\(Self.unpadded(tag))"
    }

    private static func costs(_ field: Substring) -> Argon2Parameters? {
        let parts = field.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3, let memory = cost(parts[0], "m="), let iterations = cost(parts[1], "t="),
            let lanes = cost(parts[2], "p=")
        else { return nil }
        return Argon2Parameters(memoryKiB: memory, iterations: iterations, lanes: lanes)
    }

    /// A decimal in its only spelling: no sign, no leading zero.
    private static func cost(_ part: Substring, _ name: String) -> Int? {
        guard part.hasPrefix(name), let value = Int(part.dropFirst(name.count)),
            part.dropFirst(name.count) == "\(value)"
        else { return nil }
        return value
    }

    private static func unpadded(_ bytes: [UInt8]) -> String { String(Base64.encode(bytes).prefix { $0 != "=" }) }

    private static func unpadded(_ text: Substring) -> [UInt8]? {
        guard !text.utf8.contains(UInt8(ascii: "=")) else { return nil }
        return Base64.decode(text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4))
    }
}
