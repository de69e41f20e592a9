import Bytes

/// A JSON document as lines of name and value.
enum DocumentText {
    /// One line a member; what is null or empty is left out.
    static func lines(_ document: JSONValue) -> [String] {
        let rows = flatten(document, prefix: "")
        let width = rows.reduce(0) { max($0, $1.name.count) }
        return rows.map { $0.name + String(repeating: " ", count: width - $0.name.count + 2) + $0.value }
    }

    private static func flatten(_ value: JSONValue, prefix: String) -> [(name: String, value: String)] {
        guard let object = value.object else { return [(prefix, text(value))] }
        return object.members.filter { !isEmpty($0.value) }.flatMap { member in
            flatten(member.value, prefix: prefix.isEmpty ? member.name : "\(prefix).\(member.name)")
        }
    }

    private static func isEmpty(_ value: JSONValue) -> Bool {
        value.isNull || value.array?.isEmpty == true || value.object?.count == 0
    }

    private static func text(_ value: JSONValue) -> String {
        if let text = value.string { return VisibleText.line(text, limit: 2_000) }
        if let elements = value.array, elements.allSatisfy({ $0.string != nil }) {
            return VisibleText.line(elements.compactMap { $0.string }.joined(separator: " "), limit: 2_000)
        }
        return VisibleText.line(String(decoding: value.encoded(), as: UTF8.self), limit: 2_000)
    }
}
