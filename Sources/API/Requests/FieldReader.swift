import Bytes
import Core
import HTTP

/// Reads the members of one JSON object, collects every fault with its pointer, and refuses what nobody asked for.
struct FieldReader {
    private let object: JSONObject
    private var known: Set<String> = []
    private(set) var faults: [(pointer: String, detail: String)] = []

    init(_ object: JSONObject) {
        self.object = object
    }

    /// Notes a fault of a member.
    mutating func fault(_ name: String, _ detail: String) {
        faults.append((pointer: "/" + FieldReader.escaped(name), detail: detail))
    }

    /// A string of `minimum` to `maximum` UTF-8 bytes without NUL.
    mutating func string(_ name: String, minimum: Int = 1, maximum: Int, required: Bool = true) -> String? {
        guard let value = member(name, required: required) else { return nil }
        guard let text = value.string else { return wrong(name, "must be a string") }
        return checked(text, name, minimum: minimum, maximum: maximum)
    }

    /// A name for people: trimmed, of at most `maximum` UTF-8 bytes, with something to see in it.
    mutating func name(_ name: String, maximum: Int, required: Bool = true) -> String? {
        guard let value = member(name, required: required) else { return nil }
        guard let text = value.string else { return wrong(name, "must be a string") }
        let trimmed = PlainName.trimmed(text)
        guard PlainName.isVisible(trimmed) else { return wrong(name, "must have a visible character") }
        guard !PlainName.holdsControls(trimmed) else { return wrong(name, "must not have control characters") }
        return checked(trimmed, name, minimum: 1, maximum: maximum)
    }

    /// An integer within a range.
    mutating func integer(_ name: String, in range: ClosedRange<Int>, required: Bool = false) -> Int? {
        guard let value = member(name, required: required) else { return nil }
        guard let number = value.integer else { return wrong(name, "must be an integer") }
        guard let exact = Int(exactly: number), range.contains(exact) else {
            return wrong(name, "must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return exact
    }

    /// True or false.
    mutating func boolean(_ name: String, required: Bool = false) -> Bool? {
        guard let value = member(name, required: required) else { return nil }
        guard let truth = value.bool else { return wrong(name, "must be true or false") }
        return truth
    }

    /// One of the cases of an enumeration.
    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String,
        _: Choice.Type,
        required: Bool = false
    ) -> Choice? {
        guard let value = member(name, required: required) else { return nil }
        guard let text = value.string, let choice = Choice(rawValue: text) else {
            return wrong(name, "must be one of " + Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
        }
        return choice
    }

    /// The identifier of a noun.
    mutating func id<N: Noun>(_ name: String, _: N.Type, required: Bool = true) -> ID<N>? {
        guard let value = member(name, required: required) else { return nil }
        guard let text = value.string, let id = ID<N>(text) else {
            return wrong(name, "must be an id like \"\(N.prefix)_…\"")
        }
        return id
    }

    /// An array of strings with a bound on their number and on each one's bytes.
    mutating func strings(
        _ name: String,
        count: ClosedRange<Int>,
        maximum: Int,
        required: Bool = true
    ) -> [String]? {
        guard let value = member(name, required: required) else { return nil }
        guard let elements = value.array else { return wrong(name, "must be an array of strings") }
        guard count.contains(elements.count) else {
            return wrong(name, "must have \(count.lowerBound) to \(count.upperBound) elements")
        }
        var texts: [String] = []
        for (index, element) in elements.enumerated() {
            guard let text = element.string else { return wrong("\(name)/\(index)", "must be a string", isPath: true) }
            guard text.utf8.count <= maximum else {
                return wrong("\(name)/\(index)", "must be at most \(maximum) bytes", isPath: true)
            }
            guard !text.utf8.contains(0) else { return wrong("\(name)/\(index)", "must not contain NUL", isPath: true) }
            texts.append(text)
        }
        return texts
    }

    /// An array of cases of an enumeration, each at most once.
    mutating func choices<Choice: RawRepresentable<String> & CaseIterable & Hashable>(
        _ name: String,
        _: Choice.Type,
        count: ClosedRange<Int>
    ) -> Set<Choice>? {
        guard let texts = strings(name, count: count, maximum: 100) else { return nil }
        let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        return distinct(texts, name, "must be one of \(names)") { Choice(rawValue: $0) }.map { Set($0) }
    }

    /// An array of identifiers of a noun, each at most once.
    mutating func ids<N: Noun>(
        _ name: String,
        _: N.Type,
        count: ClosedRange<Int>,
        required: Bool = true
    ) -> [ID<N>]? {
        guard let texts = strings(name, count: count, maximum: 100, required: required) else { return nil }
        return distinct(texts, name, "must be an id like \"\(N.prefix)_…\"") { ID<N>($0) }
    }

    private mutating func distinct<Value: Hashable>(
        _ texts: [String],
        _ name: String,
        _ rule: String,
        _ read: (String) -> Value?
    ) -> [Value]? {
        var values: [Value] = []
        for (index, text) in texts.enumerated() {
            guard let value = read(text) else { return wrong("\(name)/\(index)", rule, isPath: true) }
            guard !values.contains(value) else { return wrong("\(name)/\(index)", "is there twice", isPath: true) }
            values.append(value)
        }
        return values
    }

    /// An object whose members are strings, such as environment variables.
    mutating func stringMap(_ name: String, count: Int, maximum: Int) -> [String: String]? {
        guard let value = member(name, required: false) else { return nil }
        guard let members = value.object else { return wrong(name, "must be an object of strings") }
        guard members.count <= count else { return wrong(name, "must have at most \(count) members") }
        var map: [String: String] = [:]
        for (key, element) in members.members {
            let place = name + "/" + FieldReader.escaped(key)
            guard FieldReader.isVariableName(key) else {
                return wrong(place, "the name must match [A-Za-z_][A-Za-z0-9_]{0,127}", isPath: true)
            }
            guard let text = element.string, text.utf8.count <= maximum, !text.utf8.contains(0) else {
                return wrong(place, "must be a string of at most \(maximum) bytes without NUL", isPath: true)
            }
            map[key] = text
        }
        return map
    }

    /// An object that another standard defines; nothing is said of its members.
    mutating func foreign(_ name: String) -> JSONValue? {
        guard let value = member(name, required: true) else { return nil }
        guard value.object != nil else { return wrong(name, "must be an object") }
        return value
    }

    /// Notes a fault of a member of such an object.
    mutating func fault(at path: [String], _ detail: String) {
        faults.append((pointer: path.map { "/" + FieldReader.escaped($0) }.joined(), detail: detail))
    }

    /// Throws when a fault was noted, or a member is there that no reader asked for: whoever sends `role` or `owner` to
    /// an operation that does not take it means something that must not pass unnoticed.
    mutating func finish() throws(ProblemError) {
        let unknown = object.members.map(\.name).filter { !known.contains($0) }.prefix(20)
        guard unknown.isEmpty else {
            throw ProblemError(
                .unknownFields(
                    unknown.map { (pointer: "/" + FieldReader.escaped($0), detail: "is not a field of this request") }
                )
            )
        }
        guard faults.isEmpty else { throw ProblemError(.invalidFields(Array(faults.prefix(20)))) }
    }

    private mutating func member(_ name: String, required: Bool) -> JSONValue? {
        known.insert(name)
        guard let value = object[name], !(value.isNull && !required) else {
            if required { fault(name, "is required") }
            return nil
        }
        return value
    }

    private mutating func checked(_ text: String, _ name: String, minimum: Int, maximum: Int) -> String? {
        guard text.utf8.count >= minimum else { return wrong(name, "must not be empty") }
        guard text.utf8.count <= maximum else { return wrong(name, "must be at most \(maximum) bytes") }
        guard !text.utf8.contains(0) else { return wrong(name, "must not contain NUL") }
        return text
    }

    private mutating func wrong<T>(_ name: String, _ detail: String, isPath: Bool = false) -> T? {
        if isPath { faults.append((pointer: "/" + name, detail: detail)) } else { fault(name, detail) }
        return nil
    }

    /// RFC 6901: `~` and `/` inside a name, and no more than 200 bytes of a name that the client made up.
    private static func escaped(_ name: String) -> String {
        let shown = String(decoding: name.utf8.prefix(200), as: UTF8.self)
        return shown.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
    }

    private static func isVariableName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
        let isLetter = { (byte: UInt8) in (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F }
        return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }
}
