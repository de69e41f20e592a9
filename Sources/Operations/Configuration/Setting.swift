/// What a listing may show of a setting's value.
package enum Disclosure: Hashable, Sendable {
    /// All of it.
    case plain
    /// All but the password in a URL.
    case url
    /// Nothing.
    case secret

    func show(_ value: String) -> String {
        switch self {
        case .plain: value
        case .url: Self.maskPassword(value)
        case .secret: "****"
        }
    }

    private static func maskPassword(_ url: String) -> String {
        // The last `@` before the path ends the user part: an unescaped one in a password must not show its rest.
        guard let scheme = url.firstRange(of: "://") else { return "****" }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return url }
        guard let colon = authority[..<at].firstIndex(of: ":") else { return url }
        return "\(url[..<scheme.upperBound])\(authority[..<colon]):****\(rest[at...])"
    }
}

/// One environment variable: its name, its meaning and the way its text becomes a value.
struct Setting<Value: Sendable>: Sendable {
    let name: String
    /// The text that stands when the variable is not set; nil when it then has no value.
    var standard: String?
    let summary: String
    var disclosure = Disclosure.plain
    /// Gives the value, or throws the sentence that tells how to write it.
    let parse: @Sendable (String) throws(SettingFix) -> Value
}

/// How a setting is to be written.
struct SettingFix: Error {
    let text: String
}

/// A setting whose text is not a value.
package struct SettingProblem: Hashable, Sendable, CustomStringConvertible {
    /// The variable.
    package let name: String
    /// What is wrong; never the value of a secret.
    package let problem: String
    /// What to write instead.
    package let fix: String

    /// The problem and its fix in one line.
    package var description: String { "\(name): \(problem); \(fix)" }
}

/// All settings that are wrong.
package struct ConfigurationError: Error, CustomStringConvertible {
    /// One problem per setting.
    package let problems: [SettingProblem]

    /// One line per problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
