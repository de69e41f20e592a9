package import Bytes
package import Crypto

/// The keys of this installation: one signs, all that have not retired verify.
///
/// It never changes, so that all loops share one; a rotation makes another ring.
package final class KeyRing: Sendable {
    /// The `typ` of an access token (RFC 9068), which keeps every other kind of token from passing for one.
    private static let type = "at+jwt"

    private let issuer: String
    private let audience: String
    private let set: SigningKeySet
    private let keys: [String: SigningKey]

    /// A ring of the keys of `set`, for tokens of `issuer` meant for `audience`.
    package init(_ set: SigningKeySet, issuer: String, audience: String) {
        self.issuer = issuer
        self.audience = audience
        self.set = set
        keys = Dictionary(set.keys.map { ($0.identifier, $0) }) { first, _ in first }
    }

    /// The public keys that others may believe at an instant, as a JWK set: those that we believe ourselves.
    package func jwks(at now: Timestamp) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("keys")
        writer.beginArray()
        for key in set.keys where !key.isRetired(at: now) {
            JWK(identifier: key.identifier, key: key.key.publicKey).write(to: &writer)
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// Whether this ring has given up a key that the former one still believed: somebody else may know it.
    package func disowns(_ former: KeyRing, at now: Timestamp) -> Bool {
        former.set.keys.contains { !$0.isRetired(at: now) && keys[$0.identifier] == nil }
    }

    /// The token of `claims`, signed by the key whose turn it is when they are issued.
    package func sign(_ claims: AccessClaims) throws(CryptoError) -> String {
        try sign(claims.encoded(), Self.type, set.signer(at: claims.issuedAt))
    }

    /// The token that leads from one step of a sign-in to the next, signed by the key whose turn it is when it is made.
    package func sign(_ step: StepToken) throws(CryptoError) -> String {
        let made = step.expiresAt.adding(.zero - StepToken.lifetime)
        return try sign(step.encoded(issuer: issuer), step.kind.rawValue, set.signer(at: made))
    }

    private func sign(_ payload: [UInt8], _ type: String, _ signer: SigningKey) throws(CryptoError) -> String {
        var header = JSONWriter(reserving: 128)
        header.beginObject()
        header.member("alg", JWK.algorithm)
        header.member("typ", type)
        header.member("kid", signer.identifier)
        header.endObject()
        let signed = Base64.encodeURL(header.bytes) + "." + Base64.encodeURL(payload)
        return signed + "." + Base64.encodeURL(try signer.key.sign([UInt8](signed.utf8)))
    }

    /// The claims of a token that one of our keys signed and that holds now.
    package func verify(token: String, now: Timestamp) throws(TokenError) -> AccessClaims {
        try examine(token, now: now).claims
    }

    /// The claims together with the instant until which this verdict stands.
    func examine(_ token: String, now: Timestamp) throws(TokenError) -> (claims: AccessClaims, until: Timestamp) {
        let (payload, key) = try open(token, Self.type, now: now)
        let claims = try AccessClaimsReader(issuer: issuer, audience: audience, now: now).read(payload)
        return (claims, min(claims.expiresAt, key.retiresAt ?? claims.expiresAt))
    }

    /// The step token of a kind that one of our keys signed and that holds now.
    package func verify(step token: String, _ kind: StepToken.Kind, now: Timestamp) throws(TokenError) -> StepToken {
        try StepToken(try open(token, kind.rawValue, now: now).payload, kind, issuer: issuer, now: now)
    }

    private func open(
        _ token: String,
        _ type: String,
        now: Timestamp
    ) throws(TokenError) -> (payload: [UInt8], key: SigningKey) {
        let parsed = try JWS(compact: token)
        guard parsed.algorithm == JWK.algorithm else { throw .wrongAlgorithm }
        guard parsed.type == type else { throw .wrongType }
        guard let identifier = parsed.keyIdentifier, let key = keys[identifier], !key.isRetired(at: now) else {
            throw .unknownKey
        }
        try parsed.verify(JWK(identifier: identifier, key: key.key.publicKey))
        return (parsed.payload, key)
    }
}
