import Bytes

extension JSONValue {
    /// An object of strings.
    static func form(_ members: KeyValuePairs<String, String>) -> JSONValue {
        .object(JSONObject(members.map { ($0.key, .string($0.value)) }))
    }

    /// An object of any members.
    static func members(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(JSONObject(members.map { ($0.key, $0.value) }))
    }

    /// An array of strings.
    static func strings(_ strings: [String]) -> JSONValue { .array(strings.map { .string($0) }) }
}
