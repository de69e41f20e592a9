private import Bytes
private import Crypto

/// A signed token in compact form (RFC 7515), taken apart but not yet believed.
package struct JWS: Sendable {
    /// No token of ours comes near this; a longer one is refused before anything is decoded.
    package static let maximumLength = 4096
    /// A provider may list all groups of a person in an ID token.
    package static let maximumForeignLength = 32 << 10
    /// The members that we write; any other changes the meaning of a token in a way that we do not follow.
    private static let knownMembers: Set<String> = ["alg", "typ", "kid"]
    /// What a provider must not write: extensions that have to be understood, and compression.
    private static let refusedMembers: Set<String> = ["crit", "b64", "zip"]

    /// The algorithm that the header claims.
    package let algorithm: String
    /// The type that the header claims.
    package let type: String?
    /// The key that the header claims.
    package let keyIdentifier: String?
    /// What was signed.
    package let payload: [UInt8]
    let signed: [UInt8]
    let signature: [UInt8]

    /// Takes a token of ours apart: three segments of strict base64url and a strict JSON header.
    package init(compact text: String) throws(TokenError) {
        try self.init(text, limit: Self.maximumLength) { Self.knownMembers.contains($0) }
    }

    /// Takes a provider's token apart as strictly; keys that its header names or carries are not looked at.
    init(foreign text: String) throws(TokenError) {
        try self.init(text, limit: Self.maximumForeignLength) { !Self.refusedMembers.contains($0) }
    }

    private init(_ text: String, limit: Int, admits: (String) -> Bool) throws(TokenError) {
        guard text.utf8.count <= limit else { throw .tooLong }
        let segments = text.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard segments.count == 3, segments.allSatisfy({ !$0.isEmpty }), let header = Base64.decodeURL(segments[0]),
            let payload = Base64.decodeURL(segments[1]), let signature = Base64.decodeURL(segments[2]),
            let members = (try? JSONReader.parse(header))?.object
        else { throw .malformed }
        guard members.members.allSatisfy({ admits($0.name) }) else { throw .unsupportedHeader }
        guard let algorithm = members["alg"]?.string else { throw .wrongAlgorithm }
        self.algorithm = algorithm
        type = try Self.optionalText(members["typ"])
        keyIdentifier = try Self.optionalText(members["kid"])
        self.payload = payload
        self.signature = signature
        signed = [UInt8](text.utf8.prefix(text.utf8.count - segments[2].utf8.count - 1))
    }

    /// The payload of a token that `key` signed.
    package static func verify(compact text: String, key: JWK) throws(TokenError) -> [UInt8] {
        let token = try JWS(compact: text)
        if let claimed = token.keyIdentifier, let identifier = key.identifier {
            guard claimed == identifier else { throw .unknownKey }
        }
        try token.verify(key)
        return token.payload
    }

    /// Checks the algorithm and the signature against `key`.
    package func verify(_ key: JWK) throws(TokenError) {
        guard algorithm == JWK.algorithm else { throw .wrongAlgorithm }
        guard key.key.verifies(signature: signature, of: signed) else { throw .wrongSignature }
    }

    private static func optionalText(_ member: JSONValue?) throws(TokenError) -> String? {
        guard let member else { return nil }
        guard let text = member.string else { throw .malformed }
        return text
    }
}
