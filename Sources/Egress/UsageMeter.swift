import Bytes
import HTTP

/// Reads the token counts out of an answer that passes by, without holding it up.
struct UsageMeter {
    /// An answer in one document is kept up to here to be read; a longer one goes uncounted.
    private static let documentLimit = 8 << 20

    private enum Form {
        case events(SSEParser)
        case document([UInt8])
        /// Neither of the two, or too large to be read.
        case unread
    }

    private var form: Form
    private(set) var inputTokens: Int64 = 0
    private(set) var outputTokens: Int64 = 0

    init(contentType: String?) {
        let type = contentType?.lowercased() ?? ""
        form =
            if type.hasPrefix("text/event-stream") { .events(SSEParser()) } else if type.hasPrefix("application/json") {
                .document([])
            } else { .unread }
    }

    mutating func take(_ bytes: [UInt8]) {
        switch form {
        case .events(var parser):
            form = .unread
            guard let events = try? parser.feed(bytes) else { return }
            form = .events(parser)
            for event in events where event.event == "message_start" || event.event == "message_delta" {
                guard let json = try? JSONReader.parse(event.data) else { continue }
                note(json["message"]?["usage"] ?? json["usage"])
            }
        case .document(var document):
            form = .unread
            guard document.count + bytes.count <= Self.documentLimit else { return }
            document += bytes
            form = .document(document)
        case .unread: break
        }
    }

    mutating func finish() {
        guard case .document(let document) = form else { return }
        let limits = JSONLimits(maximumDepth: 256, maximumBytes: Self.documentLimit, maximumMembers: 1_000_000)
        note((try? JSONReader.parse(document, limits: limits))?["usage"])
    }

    /// Counts in a stream are running totals: the last one of each stands.
    private mutating func note(_ usage: JSONValue?) {
        let read = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"].compactMap {
            usage?[$0]?.integer
        }
        if !read.isEmpty { inputTokens = read.reduce(0, &+) }
        outputTokens = usage?["output_tokens"]?.integer ?? outputTokens
    }
}
