/// A piece of a page; text gets into it only escaped, and markup only by name.
struct HTML: Sendable {
    /// The elements that pages are made of.
    enum Tag: String, Sendable {
        case html, head, meta, title, style, body, main, header, h1, h2, p, div, form, label, input, button, a, ul, li
        case dl, dt, dd, strong, bdi, code

        /// Has no content and no end.
        var isVoid: Bool { self == .meta || self == .input }
    }

    /// The attributes that they have; none holds a script, and what is an address takes a `PagePath`.
    enum Attribute: Sendable {
        case lang(String), charset(String), name(String), content(String), id(String), type(String), value(String)
        case forID(String), describedBy(String), autocomplete(String), inputMode(String), role(String)
        case style(PageStyle.Class)
        case action(PagePath), href(PagePath)
        case post, required, autofocus, readOnly, checked
        case maximumLength(Int)

        /// The name, and the value unless there is none.
        fileprivate var parts: (name: String, value: String?) {
            switch self {
            case .lang(let text): ("lang", text)
            case .charset(let text): ("charset", text)
            case .name(let text): ("name", text)
            case .content(let text): ("content", text)
            case .id(let text): ("id", text)
            case .type(let text): ("type", text)
            case .value(let text): ("value", text)
            case .forID(let text): ("for", text)
            case .describedBy(let text): ("aria-describedby", text)
            case .autocomplete(let text): ("autocomplete", text)
            case .inputMode(let text): ("inputmode", text)
            case .role(let text): ("role", text)
            case .style(let name): ("class", name.rawValue)
            case .action(let path): ("action", path.text)
            case .href(let path): ("href", path.text)
            case .post: ("method", "post")
            case .required: ("required", nil)
            case .autofocus: ("autofocus", nil)
            case .readOnly: ("readonly", nil)
            case .checked: ("checked", nil)
            case .maximumLength(let count): ("maxlength", String(count))
            }
        }
    }

    /// The piece as it is sent.
    private(set) var bytes: [UInt8]

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// A text, of whatever origin.
    static func text(_ text: String) -> HTML {
        var bytes: [UInt8] = []
        append(text, to: &bytes)
        return HTML(bytes)
    }

    /// A text that somebody chose: its direction of writing does not reach beyond it.
    static func foreign(_ text: String) -> HTML { .element(.bdi, [], [.text(text)]) }

    /// An element with its attributes and content.
    static func element(_ tag: Tag, _ attributes: [Attribute] = [], _ content: [HTML] = []) -> HTML {
        var bytes = Array("<\(tag.rawValue)".utf8)
        for attribute in attributes {
            let (name, value) = attribute.parts
            bytes += Array(" \(name)".utf8)
            guard let value else { continue }
            bytes += Array("=\"".utf8)
            append(value, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: ">"))
        guard !tag.isVoid else { return HTML(bytes) }
        for piece in content { bytes += piece.bytes }
        return HTML(bytes + Array("</\(tag.rawValue)>".utf8))
    }

    /// The one style sheet, as it was hashed.
    static let style = HTML(Array("<style>".utf8) + PageStyle.sheet + Array("</style>".utf8))

    /// The one script, as it was hashed.
    static let passkeyScript = HTML(Array("<script>".utf8) + PasskeyScript.text + Array("</script>".utf8))

    /// A whole document.
    static func document(_ root: HTML) -> [UInt8] { Array("<!doctype html>".utf8) + root.bytes }

    /// Escapes what could end a text or an attribute's value; control characters, which nobody sees, are shown as such.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += Array("&amp;".utf8)
            case UInt8(ascii: "<"): bytes += Array("&lt;".utf8)
            case UInt8(ascii: ">"): bytes += Array("&gt;".utf8)
            case UInt8(ascii: "\""): bytes += Array("&quot;".utf8)
            case UInt8(ascii: "'"): bytes += Array("&#39;".utf8)
            case 0x00..<0x20, 0x7f: bytes += Array("\u{fffd}".utf8)
            default: bytes.append(byte)
            }
        }
    }
}
