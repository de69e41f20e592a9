import Bytes
import Crypto

/// The proof that whoever redeems a code is whoever asked for it (RFC 7636), by S256 alone.
package enum PKCE {
    /// The one method; `plain` shows the secret to whoever sees the request.
    package static let method = "S256"

    /// Whether a text has the form of a verifier: 43 to 128 unreserved characters.
    package static func isVerifier(_ text: String) -> Bool {
        (43...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
                default: false
                }
            }
    }

    /// Whether a text has the form of a challenge: a digest in base64url.
    package static func isChallenge(_ text: String) -> Bool {
        text.utf8.count == 43 && Base64.decodeURL(text)?.count == 32
    }

    /// What is shown of a verifier before it is.
    package static func challenge(of verifier: String) -> String {
        Base64.encodeURL(Digest.sha256([UInt8](verifier.utf8)))
    }

    /// A verifier that nobody guesses: 256 random bits.
    package static func makeVerifier() -> String { Base64.encodeURL(SecureRandom.bytes(32)) }

    /// Whether a verifier is the one behind a challenge.
    package static func answers(_ verifier: String, _ challenge: String) -> Bool {
        isVerifier(verifier)
            && constantTimeEqual([UInt8](Self.challenge(of: verifier).utf8), [UInt8](challenge.utf8))
    }
}
