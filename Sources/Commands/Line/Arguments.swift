/// One option that a verb takes.
package struct Option: Sendable {
    package let name: String
    /// What the value is called in the help; nil for a switch.
    package let value: String?
    package let help: String

    /// An option with a value, such as `--data DIR`.
    package init(_ name: String, _ value: String, _ help: String) {
        self.name = name
        self.value = value
        self.help = help
    }

    /// A switch, such as `--json`.
    package init(_ name: String, _ help: String) {
        self.name = name
        value = nil
        self.help = help
    }
}

/// What was wrong with a command line; the text says how to mend it.
package struct UsageError: Error, Sendable, CustomStringConvertible {
    package let description: String

    /// Makes an error with a text for the user.
    package init(_ description: String) {
        self.description = description
    }
}

/// A command line taken apart: options, and the words between them.
package struct Arguments: Sendable {
    /// The words that are no options, in order; everything after `--` is here as it stands.
    package private(set) var words: [String] = []
    private var values: [String: [String]] = [:]

    /// Takes a command line apart by the options that the verb has.
    package init(_ line: [String], options: [Option], takesRest: Bool = false) throws(UsageError) {
        var rest = line[...]
        while let word = rest.popFirst() {
            if word == "--" {
                words += rest
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                words.append(word)
                if takesRest {
                    words += rest.first == "--" ? rest.dropFirst() : rest
                    break
                }
                continue
            }
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let option = options.first(where: { $0.name == halves[0] }) else {
                throw UsageError("unknown option \(halves[0])")
            }
            if option.value == nil {
                guard halves.count == 1 else { throw UsageError("\(option.name) takes no value") }
                values[option.name, default: []].append("")
            } else if halves.count == 2 {
                values[option.name, default: []].append(halves[1])
            } else if let value = rest.popFirst() {
                values[option.name, default: []].append(value)
            } else {
                throw UsageError("\(option.name) needs a value: \(option.name) \(option.value ?? "")")
            }
        }
    }

    /// Whether a switch was given.
    package func has(_ name: String) -> Bool { values[name] != nil }

    /// The last value of an option.
    package func value(_ name: String) -> String? { values[name]?.last }

    /// All values of an option that may be repeated.
    package func all(_ name: String) -> [String] { values[name] ?? [] }

    /// The value of an option as an integer within a range.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError("\(name) must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Exactly `count` words, or a usage error that names them.
    package func exactly(_ names: String...) throws(UsageError) -> [String] {
        guard words.count == names.count else {
            throw UsageError(names.isEmpty ? "no words are expected" : "expected: \(names.joined(separator: " "))")
        }
        return words
    }
}
