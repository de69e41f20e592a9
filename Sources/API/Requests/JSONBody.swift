import Bytes
import HTTP

/// The limits that a request body is read under.
enum BodyLimits {
    /// A prompt of 1 MiB with every byte escaped as \u00XX, and room for the other fields.
    static let job = 8 << 20
    /// Every other request is a handful of short fields.
    static let small = 64 << 10
    /// Far above every argument and variable that a job may have; a body of only tiny values would take a hundred times
    /// its length of memory.
    static let values = 20_000
}

extension HTTPRequest {
    /// Reads the body as one JSON object and hands it to `read`, then refuses unknown members and noted faults.
    func jsonObject<Value>(
        limit: Int = BodyLimits.small,
        _ read: (inout FieldReader) -> Value
    ) async throws -> Value {
        guard isJSON else { throw ProblemError(.notJSON) }
        let bytes: [UInt8]
        do throws(BodyError) { bytes = try await body.collect(limit: limit) } catch {
            throw ProblemError(Problem(error))
        }
        let value: JSONValue
        do throws(JSONError) {
            let limits = JSONLimits(maximumBytes: limit, maximumValues: BodyLimits.values)
            value = try JSONReader.parse(bytes, limits: limits)
        } catch {
            throw ProblemError(.unreadableJSON(error))
        }
        guard let object = value.object else {
            throw ProblemError(.invalidFields([(pointer: "", detail: "must be a JSON object")]))
        }
        var reader = FieldReader(object)
        let result = read(&reader)
        try reader.finish()
        return result
    }

    /// The same for a body that may be left out; nil when it was.
    func optionalJSONObject<Value>(_ read: (inout FieldReader) -> Value) async throws -> Value? {
        if body.declaredLength == 0, !headers.contains("content-type") { return nil }
        return try await jsonObject(read)
    }

    private var isJSON: Bool {
        guard let type = headers["content-type"] else { return false }
        let parts = type.split(separator: ";", maxSplits: 1).map { $0.lowercased().filter { $0 != " " && $0 != "\t" } }
        guard parts.first == "application/json" else { return false }
        return parts.count == 1 || parts[1] == "charset=utf-8" || parts[1] == "charset=\"utf-8\""
    }
}
