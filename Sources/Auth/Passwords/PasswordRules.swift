/// Why a new password is refused; the person is told.
package enum PasswordRejection: Sendable, Equatable, CustomStringConvertible {
    case tooShort
    case tooLong
    /// On the list of common passwords, or one of them with digits and signs around it.
    case common
    /// One character, a few characters or a run of neighbours over and over.
    case repetitive
    /// On the installation's list of leaked passwords.
    case breached
    /// Little more than the name of the person, the team or the product.
    case containsContext(String)

    package var description: String {
        switch self {
        case .tooShort: "The password needs at least \(PasswordRules.lengths.lowerBound) characters."
        case .tooLong: "The password may have at most \(PasswordRules.lengths.upperBound) characters."
        case .common: "The password is among those that are guessed first."
        case .repetitive: "The password repeats a few characters or follows their order."
        case .breached: "The password is in a list of leaked ones; if you use it elsewhere, change it there too."
        case .containsContext(let word): "The password is little more than \"\(word)\"."
        }
    }
}

/// The rules for new passwords: length and a blocklist, no composition rules (NIST SP 800-63B, ASVS 6.2).
package enum PasswordRules {
    /// Code points of a password; 12 holds because attempts are throttled, 256 bounds the work of hashing.
    package static let lengths = 12...256
    /// Bytes of the longest password in UTF-8.
    package static let maximumBytes = lengths.upperBound * 4

    /// What must remain of a password when a context word is taken out.
    private static let remainder = 8
    /// A shorter word would refuse passwords for chance matches.
    private static let shortestContextWord = 4
    private static let fewestDistinct = 5
    private static let product = "errand"

    /// Why `password` is refused, or nil; `words` name the person and the team.
    package static func check(_ password: String, context words: [String]) -> PasswordRejection? {
        let length = password.unicodeScalars.count
        if length < lengths.lowerBound { return .tooShort }
        if length > lengths.upperBound { return .tooLong }
        let folded = password.lowercased()
        if isRepetitive(folded) { return .repetitive }
        if CommonPasswords.contains(folded) { return .common }
        for word in contextWords(words) + [product] where isLittleMore(folded, than: word) {
            return .containsContext(word)
        }
        return nil
    }

    private static func isRepetitive(_ password: String) -> Bool {
        let scalars = password.unicodeScalars.map(\.value)
        if Set(scalars).count < fewestDistinct { return true }
        let steps = zip(scalars, scalars.dropFirst()).map { Int64($1) - Int64($0) }
        // A run may start over at its end: 890123 and yzabc.
        return steps.count { $0 == 1 || $0 == -9 || $0 == -25 } == steps.count
            || steps.count { $0 == -1 || $0 == 9 || $0 == 25 } == steps.count
    }

    private static func contextWords(_ words: [String]) -> [String] {
        let parts = words.flatMap { word in
            [word.lowercased()] + word.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        }
        return parts.filter { $0.unicodeScalars.count >= shortestContextWord }
    }

    private static func isLittleMore(_ password: String, than word: String) -> Bool {
        guard password.contains(word) else { return false }
        let rest = password.split(separator: word).joined()
        return rest.unicodeScalars.count < remainder
    }
}
