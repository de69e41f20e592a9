import Bytes
import Core

/// Reads the members of one JSON object strictly: each in its type and bounds, none besides those that are named.
struct LinkFields {
    private let object: JSONObject
    private let path: String

    /// Takes an object that has no other members than `allowed`.
    init(_ value: JSONValue, path: String, allowed: Set<String>) throws(LinkError) {
        guard let object = value.object else { throw LinkError(.invalidField, path) }
        self.object = object
        self.path = path
        for member in object.members where !allowed.contains(member.name) {
            throw LinkError(.unknownField, path)
        }
    }

    /// The path of a member, for errors.
    func path(_ name: String) -> String { path.isEmpty ? name : path + "." + name }

    /// A member that must be there and not be null.
    func value(_ name: String) throws(LinkError) -> JSONValue {
        guard let value = try optional(name) else { throw LinkError(.missingField, path(name)) }
        return value
    }

    /// A member that must be there but may be null.
    func optional(_ name: String) throws(LinkError) -> JSONValue? {
        guard let value = object[name] else { throw LinkError(.missingField, path(name)) }
        return value.isNull ? nil : value
    }

    func text(_ name: String, limit: Int) throws(LinkError) -> String {
        try text(value(name), name, limit: limit)
    }

    func optionalText(_ name: String, limit: Int) throws(LinkError) -> String? {
        guard let value = try optional(name) else { return nil }
        return try text(value, name, limit: limit)
    }

    func integer<T: FixedWidthInteger>(_ name: String, in range: ClosedRange<T>) throws(LinkError) -> T {
        try integer(value(name), name, in: range)
    }

    func optionalInteger<T: FixedWidthInteger>(
        _ name: String,
        in range: ClosedRange<T>
    ) throws(LinkError) -> T? {
        guard let value = try optional(name) else { return nil }
        return try integer(value, name, in: range)
    }

    func bool(_ name: String) throws(LinkError) -> Bool {
        guard let value = try value(name).bool else { throw LinkError(.invalidField, path(name)) }
        return value
    }

    func array(_ name: String, limit: Int) throws(LinkError) -> [JSONValue] {
        guard let elements = try value(name).array else { throw LinkError(.invalidField, path(name)) }
        guard elements.count <= limit else { throw LinkError(.tooLarge, path(name)) }
        return elements
    }

    func word<T: RawRepresentable<String>>(_ name: String, as type: T.Type) throws(LinkError) -> T {
        guard let word = T(rawValue: try text(name, limit: 64)) else { throw LinkError(.invalidField, path(name)) }
        return word
    }

    func optionalWord<T: RawRepresentable<String>>(_ name: String, as type: T.Type) throws(LinkError) -> T? {
        try optional(name) == nil ? nil : word(name, as: type)
    }

    func id<N: Noun>(_ name: String, as noun: N.Type) throws(LinkError) -> ID<N> {
        guard let id = ID<N>(try text(name, limit: 64)) else { throw LinkError(.invalidField, path(name)) }
        return id
    }

    func ids<N: Noun>(_ name: String, as noun: N.Type, limit: Int) throws(LinkError) -> [ID<N>] {
        try array(name, limit: limit).map { element throws(LinkError) in
            guard let id = element.string.flatMap({ ID<N>($0) }) else { throw LinkError(.invalidField, path(name)) }
            return id
        }
    }

    func attempt(_ name: String) throws(LinkError) -> AttemptID {
        try Self.attempt(value(name), path: path(name))
    }

    func attempts(_ name: String) throws(LinkError) -> [AttemptID] {
        let elements = try array(name, limit: LinkProtocol.attempts)
        return try elements.map { element throws(LinkError) in try Self.attempt(element, path: path(name)) }
    }

    private func text(_ value: JSONValue, _ name: String, limit: Int) throws(LinkError) -> String {
        guard let text = value.string else { throw LinkError(.invalidField, path(name)) }
        guard text.utf8.count <= limit else { throw LinkError(.tooLarge, path(name)) }
        return text
    }

    private func integer<T: FixedWidthInteger>(
        _ value: JSONValue,
        _ name: String,
        in range: ClosedRange<T>
    ) throws(LinkError) -> T {
        guard let number = value.integer, let exact = T(exactly: number), range.contains(exact) else {
            throw LinkError(.invalidField, path(name))
        }
        return exact
    }

    /// Reads `JOB/ATTEMPT`, the number without sign or leading zero.
    private static func attempt(_ value: JSONValue, path: String) throws(LinkError) -> AttemptID {
        let halves = value.string?.split(separator: "/", omittingEmptySubsequences: false) ?? []
        guard halves.count == 2, let job = JobID(halves[0]), let number = Int32(halves[1]), number >= 1,
            String(number) == halves[1]
        else { throw LinkError(.invalidField, path) }
        return AttemptID(job: job, attempt: Int(number))
    }
}

extension JSONWriter {
    /// Writes a list of identifiers.
    mutating func ids<N: Noun>(_ name: String, _ ids: [ID<N>]) {
        key(name)
        beginArray()
        for id in ids { string(id.description) }
        endArray()
    }

    /// Writes a list of attempts in their text form.
    mutating func attempts(_ name: String, _ attempts: [AttemptID]) {
        key(name)
        beginArray()
        for attempt in attempts { string(attempt.description) }
        endArray()
    }

    /// Writes one message: an object that begins with its type.
    static func message(_ type: String, _ fill: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", type)
        fill(&writer)
        writer.endObject()
        return writer.bytes
    }
}

/// Opens a control frame: parses it and gives its type.
func openControlFrame(_ bytes: [UInt8]) throws(LinkError) -> (type: String, value: JSONValue) {
    guard bytes.count <= LinkProtocol.controlFrameBytes else { throw LinkError(.tooLarge, "frame") }
    let limits = JSONLimits(
        maximumDepth: 8,
        maximumBytes: LinkProtocol.controlFrameBytes,
        maximumMembers: LinkProtocol.attempts,
        // A message of many jobs, each with thousands of arguments; the peer has proved who it is.
        maximumValues: 1_000_000
    )
    let value: JSONValue
    do { value = try JSONReader.parse(bytes, limits: limits) } catch { throw LinkError(.malformed, error.description) }
    guard let type = value["type"]?.string else { throw LinkError(.missingField, "type") }
    return (type, value)
}
