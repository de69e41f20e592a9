package import Bytes
import Crypto

/// A public key by which a provider signs, with the one algorithm that it is believed for (RFC 8725: never the header's).
package struct ProviderKey: Sendable {
    /// The algorithms that are believed.
    package enum Algorithm: String, Sendable, CaseIterable {
        /// RSA PKCS #1 v1.5 with SHA-256, which every provider offers.
        case rs256 = "RS256"
        /// RSA PSS with SHA-256.
        case ps256 = "PS256"
        /// ECDSA over P-256 with SHA-256.
        case es256 = "ES256"
        /// Ed25519.
        case eddsa = "EdDSA"
    }

    /// The identifier by which tokens name the key.
    package let identifier: String?
    /// How the key signs.
    package let algorithm: Algorithm
    private let key: Key

    private enum Key: Sendable {
        case rsa(RSAPublicKey)
        case p256(P256PublicKey)
        case ed25519(Ed25519PublicKey)
    }

    /// Longer names are made to be looked up, not to name.
    private static let longestIdentifier = 512

    /// Reads a JWK (RFC 7517), which must be a public key meant for signatures by one of the algorithms.
    package init(_ json: JSONValue) throws(TokenError) {
        guard let members = json.object, members["use"] == nil || members["use"]?.string == "sig",
            members["key_ops"] == nil || members["key_ops"]?.array?.contains(.string("verify")) == true,
            Self.privateMembers.allSatisfy({ members[$0] == nil }), let algorithm = Self.algorithm(of: members)
        else { throw .unusableKey }
        if let identifier = members["kid"] {
            guard let text = identifier.string, text.utf8.count <= Self.longestIdentifier else { throw .unusableKey }
            self.identifier = text
        } else {
            identifier = nil
        }
        self.algorithm = algorithm
        do throws(CryptoError) {
            switch algorithm {
            case .rs256, .ps256:
                key = .rsa(try RSAPublicKey(modulus: Self.bytes(members, "n"), exponent: Self.bytes(members, "e")))
            case .es256:
                key = .p256(try P256PublicKey(x: Self.bytes(members, "x"), y: Self.bytes(members, "y")))
            case .eddsa: key = .ed25519(try Ed25519PublicKey(raw: Self.bytes(members, "x")))
            }
        } catch {
            throw .unusableKey
        }
    }

    /// Checks that the key signed a token, and that the token's header says no other algorithm.
    func verify(_ token: JWS) throws(TokenError) {
        guard token.algorithm == algorithm.rawValue else { throw .wrongAlgorithm }
        let isRight =
            switch (key, algorithm) {
            case (.rsa(let key), .ps256): key.verifies(pss: token.signature, of: token.signed)
            case (.rsa(let key), _): key.verifies(signature: token.signature, of: token.signed)
            case (.p256(let key), _): key.verifies(joined: token.signature, of: token.signed)
            case (.ed25519(let key), _): key.verifies(signature: token.signature, of: token.signed)
            }
        guard isRight else { throw .wrongSignature }
    }

    /// A key that shows one of them is a secret no more, or a shared secret: neither proves anything.
    private static let privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

    /// The one algorithm of a key: its own word, or what its kind is used for where it does not say.
    private static func algorithm(of members: JSONObject) -> Algorithm? {
        let allowed: [Algorithm] =
            switch (members["kty"]?.string, members["crv"]?.string) {
            case ("RSA", nil): [.rs256, .ps256]
            case ("EC", "P-256"): [.es256]
            case ("OKP", "Ed25519"): [.eddsa]
            default: []
            }
        guard let named = members["alg"] else { return allowed.first }
        return allowed.first { $0.rawValue == named.string }
    }

    private static func bytes(_ members: JSONObject, _ name: String) throws(CryptoError) -> [UInt8] {
        guard let bytes = members[name]?.string.flatMap({ Base64.decodeURL($0) }) else {
            throw CryptoError(stage: "provider key: \(name)", reason: .invalidKey)
        }
        return bytes
    }
}
