import Bytes

/// One line of the CLI's standard output, of which Errand reads only what it needs.
enum ClaudeLine: Equatable {
    case initialized(session: String?, version: String?, model: String?)
    /// Calls that an `assistant` line starts, and the kind of its error if it reports one.
    case assistant(toolUses: [String], error: String?)
    /// Calls that a `user` line brings the results of.
    case toolResults([String])
    case result(ClaudeResult)
    /// The provider refuses further use until the time given, in seconds since 1970.
    case quotaRejected(resetsAt: Int64?)
    case permissionRequest(id: String, tool: String, needsPerson: Bool)
    case otherRequest(id: String, subtype: String)
    case other

    /// The CLI nests what the model wrote, so the depth is the machine's bound rather than one of good taste; a tool's
    /// input may be a table of many numbers, which at this count take some 20 MB while they are read.
    private static let valueLimit = 200_000

    /// Reads a line and gives it back as strict JSON; nil when it is JSON of another kind than an object.
    static func read(_ bytes: [UInt8]) throws(JSONError) -> (json: [UInt8], line: ClaudeLine)? {
        let limits = JSONLimits(
            maximumDepth: 512,
            maximumBytes: bytes.count,
            maximumMembers: valueLimit,
            maximumValues: valueLimit
        )
        do throws(JSONError) {
            guard case .object(let line) = try JSONReader.parse(bytes, limits: limits) else { return nil }
            return (bytes, meaning(of: line))
        } catch {
            guard error.reason == .loneSurrogate else { throw error }
            // JavaScript cuts text between the halves of a pair and writes the half; same length, so no second repair.
            let repaired = LoneSurrogates.replaced(in: bytes)
            guard repaired != bytes else { throw error }
            return try read(repaired)
        }
    }

    private static func meaning(of line: JSONObject) -> ClaudeLine {
        let subtype = line["subtype"]?.string
        switch line["type"]?.string {
        case "system" where subtype == "init":
            return .initialized(
                session: line["session_id"]?.string,
                version: line["claude_code_version"]?.string,
                model: line["model"]?.string
            )
        case "assistant":
            return .assistant(
                toolUses: blocks(line, type: "tool_use").compactMap { $0["id"]?.string },
                error: line["error"]?.string
            )
        case "user":
            return .toolResults(blocks(line, type: "tool_result").compactMap { $0["tool_use_id"]?.string })
        case "result": return .result(ClaudeResult(line))
        case "rate_limit_event":
            let info = line["rate_limit_info"]
            guard info?["status"]?.string == "rejected" else { return .other }
            return .quotaRejected(resetsAt: info?["resetsAt"]?.integer)
        case "control_request":
            guard let id = line["request_id"]?.string, let request = line["request"] else { return .other }
            guard request["subtype"]?.string == "can_use_tool", let tool = request["tool_name"]?.string else {
                return .otherRequest(id: id, subtype: request["subtype"]?.string ?? "this request")
            }
            return .permissionRequest(
                id: id,
                tool: tool,
                needsPerson: request["requires_user_interaction"]?.bool ?? false
            )
        default: return .other
        }
    }

    private static func blocks(_ line: JSONObject, type: String) -> [JSONValue] {
        line["message"]?["content"]?.array?.filter { $0["type"]?.string == type } ?? []
    }
}

/// The end of one turn as the CLI reports it.
struct ClaudeResult: Equatable, Sendable {
    let subtype: String
    let isError: Bool
    let terminalReason: String?
    let apiErrorStatus: Int64?
    /// The answer, or the text of an error.
    let text: String?
    let turns: Int64
    let durationMilliseconds: Int64
    /// Of the process so far, in US dollars.
    let totalCost: Double?
    /// Of this turn, cached ones included.
    let inputTokens: Int64
    let outputTokens: Int64

    init(_ line: JSONObject) {
        subtype = line["subtype"]?.string ?? ""
        isError = line["is_error"]?.bool ?? true
        terminalReason = line["terminal_reason"]?.string
        apiErrorStatus = line["api_error_status"]?.integer
        text = line["result"]?.string ?? line["errors"]?.array?.first?.string
        turns = Self.count(line["num_turns"])
        durationMilliseconds = Self.count(line["duration_ms"])
        totalCost = line["total_cost_usd"]?.double
        let usage = line["usage"]
        let read = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"]
        inputTokens = read.reduce(0) { $0 + Self.count(usage?[$1]) }
        outputTokens = Self.count(usage?["output_tokens"])
    }

    /// A count as a hostile process may claim it: never negative, and never so large that sums overflow.
    private static func count(_ value: JSONValue?) -> Int64 {
        min(max(value?.integer ?? 0, 0), 1 << 50)
    }
}
