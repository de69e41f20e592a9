import Bytes
import Core
import HTTP

/// Reads query parameters; an unknown, repeated or malformed one is refused.
struct QueryReader {
    private let pairs: [(String, String)]

    /// Takes a request's query, of which only `allowed` names may be there, each once but those in `repeatable`.
    init(_ request: HTTPRequest, allowed: Set<String>, repeatable: Set<String> = []) throws(ProblemError) {
        var seen: Set<String> = []
        for (name, _) in request.query {
            guard allowed.contains(name) else {
                throw ProblemError(.malformedParameter(String(name.prefix(64)), "is not a parameter of this path"))
            }
            guard seen.insert(name).inserted || repeatable.contains(name) else {
                throw ProblemError(.malformedParameter(name, "must be given once"))
            }
        }
        pairs = request.query
    }

    /// The first value of a name.
    func value(_ name: String) -> String? { pairs.first { $0.0 == name }?.1 }

    /// The page size: 1 to 200, 50 unless given.
    func limit() throws(ProblemError) -> Int {
        guard let text = value("limit") else { return 50 }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let limit = Int(text), (1...200).contains(limit)
        else {
            throw ProblemError(.malformedParameter("limit", "must be an integer from 1 to 200"))
        }
        return limit
    }

    /// A switch, `true` or `false`.
    func boolean(_ name: String) throws(ProblemError) -> Bool? {
        guard let text = value(name) else { return nil }
        guard let value = Bool(text) else { throw ProblemError(.malformedParameter(name, "must be true or false")) }
        return value
    }

    /// The identifier of a noun.
    func id<N: Noun>(_ name: String, _: N.Type) throws(ProblemError) -> ID<N>? {
        guard let text = value(name) else { return nil }
        guard let id = ID<N>(text) else {
            throw ProblemError(.malformedParameter(name, "must be an id like \"\(N.prefix)_…\""))
        }
        return id
    }

    /// The cases named by a repeatable, comma-separated parameter.
    func choices<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String,
        _: Choice.Type
    ) throws(ProblemError) -> [Choice] {
        var found: [Choice] = []
        for (key, text) in pairs where key == name {
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let choice = Choice(rawValue: String(part)) else {
                    let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ProblemError(.malformedParameter(name, "must be one of \(names)"))
                }
                found.append(choice)
            }
        }
        return found
    }

    /// A moment.
    func time(_ name: String) throws(ProblemError) -> Timestamp? {
        guard let text = value(name) else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw ProblemError(.malformedParameter(name, "must be a time such as 2026-11-01T00:00:00Z"))
        }
        return time
    }

    /// A visible text of at most `limit` bytes, to be found as it is.
    func text(_ name: String, limit: Int) throws(ProblemError) -> String? {
        guard let text = value(name) else { return nil }
        guard (1...limit).contains(text.utf8.count), !PlainName.holdsControls(text) else {
            throw ProblemError(.malformedParameter(name, "must be 1 to \(limit) bytes without control characters"))
        }
        return text
    }

    /// The position a log is read after.
    func position(_ name: String) throws(ProblemError) -> LogPosition? {
        guard let text = value(name) else { return nil }
        guard let position = LogPosition(text) else {
            throw ProblemError(.malformedParameter(name, "must be ATTEMPT.SEQ, such as 1.42"))
        }
        return position
    }
}

extension HTTPRequest {
    /// The identifier in a path parameter; what is no identifier names nothing.
    func pathID<N: Noun>(_ name: String, _: N.Type, noun: String) throws(ProblemError) -> ID<N> {
        guard let id = parameters[name].flatMap({ ID<N>($0) }) else { throw ProblemError(.missing(noun)) }
        return id
    }
}
