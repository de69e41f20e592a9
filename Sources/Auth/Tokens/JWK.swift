package import Bytes
package import Crypto

/// A public Ed25519 key in the form of RFC 7517 and RFC 8037.
package struct JWK: Sendable {
    /// The one algorithm that this key verifies (RFC 8725: the key decides, never the header).
    package static let algorithm = "EdDSA"

    /// The identifier by which tokens name the key.
    package let identifier: String?
    /// The key itself.
    package let key: Ed25519PublicKey

    /// Names a key.
    package init(identifier: String, key: Ed25519PublicKey) {
        self.identifier = identifier
        self.key = key
    }

    /// Reads a JWK, which must be a public Ed25519 key meant for signatures.
    package init(_ json: JSONValue) throws(TokenError) {
        guard let members = json.object, members["kty"]?.string == "OKP", members["crv"]?.string == "Ed25519",
            Self.isAbsent(members["alg"], or: Self.algorithm), Self.isAbsent(members["use"], or: "sig"),
            members["key_ops"]?.array?.contains(.string("verify")) ?? (members["key_ops"] == nil),
            members["d"] == nil, let text = members["x"]?.string, let raw = Base64.decodeURL(text),
            let key = try? Ed25519PublicKey(raw: raw)
        else { throw .unusableKey }
        if let identifier = members["kid"] {
            guard let text = identifier.string else { throw .unusableKey }
            self.identifier = text
        } else {
            identifier = nil
        }
        self.key = key
    }

    /// The identifier that follows from the key alone: its RFC 7638 thumbprint.
    package static func thumbprint(of key: Ed25519PublicKey) -> String {
        let canonical = #"{"crv":"Ed25519","kty":"OKP","x":"\#(Base64.encodeURL(key.raw))"}"#
        return Base64.encodeURL(Digest.sha256([UInt8](canonical.utf8)))
    }

    /// Writes the key with its public members.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("kty", "OKP")
        writer.member("crv", "Ed25519")
        writer.member("use", "sig")
        writer.member("alg", Self.algorithm)
        if let identifier { writer.member("kid", identifier) }
        writer.member("x", Base64.encodeURL(key.raw))
        writer.endObject()
    }

    private static func isAbsent(_ member: JSONValue?, or expected: String) -> Bool {
        member == nil || member?.string == expected
    }
}
