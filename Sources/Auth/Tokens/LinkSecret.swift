/// Secrets at the end of links that people paste.
enum LinkSecret {
    /// What stands behind the last `#` or `=`, which no secret of ours has; the text itself when it is no link.
    static func last(of text: String) -> String {
        let end = text.utf8.lastIndex { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "=") }
        return end.map { String(text[text.utf8.index(after: $0)...]) } ?? text
    }
}
