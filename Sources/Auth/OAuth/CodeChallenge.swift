private import Bytes
private import Crypto

/// What a client commits itself to before it knows its code (RFC 7636); only the method S256 is known here.
package struct CodeChallenge: Sendable, Equatable {
    /// The one method; `plain` proves nothing to whoever has seen the request.
    package static let method = "S256"
    private static let length = 43
    private static let verifierLengths = 43...128

    /// The challenge as the client sends it.
    package let text: String

    /// Reads a challenge: the SHA-256 of something, in base64url.
    package init?(_ text: String) {
        guard text.utf8.count == Self.length, Base64.decodeURL(text)?.count == 32 else { return nil }
        self.text = text
    }

    /// Whether a verifier is the one that was committed to; one that is too short to be a secret is none.
    package func admits(_ verifier: String) -> Bool {
        guard Self.verifierLengths.contains(verifier.utf8.count), verifier.utf8.allSatisfy(Self.isUnreserved) else {
            return false
        }
        let hash = Digest.sha256([UInt8](verifier.utf8))
        return constantTimeEqual([UInt8](Base64.encodeURL(hash).utf8), [UInt8](text.utf8))
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }
}
