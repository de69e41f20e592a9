package import Core
import Crypto

/// A code that stands in once for a lost second factor: 140 random bits, of which only a hash is kept.
package struct RecoveryCode: Sendable {
    /// As many as a person gets at once.
    package static let count = 10
    /// Characters of five bits each: more than 128 bits, so that a fast hash keeps them (ASVS 6.5.2).
    package static let length = 28

    private static let group = 4
    private static let alphabet = [UInt8]("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// The text that the person keeps, in groups of four.
    package let text: String
    private let characters: [UInt8]

    /// A new code.
    package static func make() -> RecoveryCode {
        RecoveryCode(characters: SecureRandom.bytes(length).map { alphabet[Int($0 & 31)] })
    }

    /// As many new codes as a person gets.
    package static func makeAll() -> [RecoveryCode] { (0..<count).map { _ in make() } }

    /// Reads what a person typed, in any case, with or without dashes and spaces; nil when it is no such code.
    package init?(typed text: String) {
        guard text.utf8.count <= 4 * Self.length else { return nil }
        var characters: [UInt8] = []
        for byte in text.lowercased().utf8 where byte != UInt8(ascii: "-") && byte != UInt8(ascii: " ") {
            switch byte {
            case UInt8(ascii: "o"): characters.append(UInt8(ascii: "0"))
            case UInt8(ascii: "i"), UInt8(ascii: "l"): characters.append(UInt8(ascii: "1"))
            default:
                guard Self.alphabet.contains(byte) else { return nil }
                characters.append(byte)
            }
        }
        guard characters.count == Self.length else { return nil }
        self.init(characters: characters)
    }

    private init(characters: [UInt8]) {
        self.characters = characters
        let groups = stride(from: 0, to: characters.count, by: Self.group).map {
            String(decoding: characters[$0..<min($0 + Self.group, characters.count)], as: UTF8.self)
        }
        text = groups.joined(separator: "-")
    }

    /// What the store keeps, bound to the person.
    package func hash(for user: UserID) -> [UInt8] {
        Digest.sha256([UInt8]("errand recovery code 1".utf8) + user.uuidBytes + characters)
    }
}
