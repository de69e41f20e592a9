import Crypto

/// The code that a person types to confirm a device (RFC 8628): eight of twenty letters, about 34.5 bits.
///
/// No vowels, so that no words come out, and no letters that are taken for digits; it lives for minutes and is rate-limited.
package struct UserCode: Sendable, Equatable {
    /// Letters of a code.
    package static let length = 8
    private static let alphabet = Array("BCDFGHJKLMNPQRSTVWXZ".utf8)

    /// The letters without the dash.
    package let letters: String

    /// A new code; every one is as likely as every other.
    package static func make() -> UserCode {
        var letters: [UInt8] = []
        while letters.count < length {
            // 240 is the largest multiple of twenty in a byte.
            for byte in SecureRandom.bytes(length) where byte < 240 && letters.count < length {
                letters.append(alphabet[Int(byte) % alphabet.count])
            }
        }
        return UserCode(letters: String(decoding: letters, as: UTF8.self))
    }

    /// The code that somebody typed, whatever the case, the spaces and the dashes; nil when it is none.
    package static func parse(_ text: String) -> UserCode? {
        guard text.utf8.count <= 64 else { return nil }
        let kept = text.unicodeScalars.filter { !$0.properties.isWhitespace && !$0.properties.isDash }
        let letters = String(String.UnicodeScalarView(kept)).uppercased()
        guard letters.utf8.count == length, letters.utf8.allSatisfy({ alphabet.contains($0) }) else { return nil }
        return UserCode(letters: letters)
    }

    /// The code as people read it, `XXXX-XXXX`.
    package var shown: String { "\(letters.prefix(4))-\(letters.suffix(4))" }

    /// What the store keeps; the code is worth nothing when it could have been searched for.
    package var hash: [UInt8] { Digest.sha256([UInt8]("errand user code \(letters)".utf8)) }
}
