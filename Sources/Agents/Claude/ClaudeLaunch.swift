import Bytes
import Core

/// The argument list, environment and first line that start the Claude Code CLI.
struct ClaudeLaunch {
    let spec: ClaudeSpec
    let policy: AgentPolicy
    /// What the attempt's model broker accepts in place of a key; the agent's commands can read it.
    let modelToken: String
    let places: AgentPlaces
    var sessionID = randomUUID()
    var messageID = randomUUID()

    /// Tools that promise to come back later, which a job that ends with its answer cannot keep.
    private static let unkeptTools = "CronCreate,CronDelete,CronList,ScheduleWakeup"
    /// A wrong key is reported in seconds rather than the three minutes of the CLI's own default of 10.
    private static let retries = 3

    func launch() throws(AgentRefusal) -> AgentLaunch {
        AgentLaunch(
            arguments: try arguments(),
            environment: environment,
            workingDirectory: places.workspace,
            firstInput: promptLine,
            closesInputAfterFirst: false
        )
    }

    private func arguments() throws(AgentRefusal) -> [String] {
        var arguments = [
            places.executable, "-p", "--output-format", "stream-json", "--input-format", "stream-json", "--verbose",
            "--include-partial-messages", "--permission-prompt-tool", "stdio", "--session-id=\(sessionID)",
            "--setting-sources=", "--strict-mcp-config", "--permission-mode=default",
            "--disallowedTools=\(Self.unkeptTools)",
        ]
        // Named like this the CLI offers its search tools, which it otherwise leaves to Bash.
        if policy == .readOnly { arguments.append("--tools=\(ClaudePermissions.readingTools.joined(separator: ","))") }
        if let model = spec.model {
            guard Self.isModelName(model) else { throw AgentRefusal("The model name is malformed.") }
            arguments.append("--model=\(model)")
        }
        if let turns = spec.maxTurns {
            guard (1...JobLimits.turns).contains(turns) else {
                throw AgentRefusal("The number of turns is not between 1 and \(JobLimits.turns).")
            }
            arguments.append("--max-turns=\(turns)")
        }
        return arguments
    }

    private var environment: [(String, String)] {
        places.baseEnvironment + [
            ("CLAUDE_CONFIG_DIR", places.configDirectory),
            ("CLAUDE_CODE_TMPDIR", places.temporaryDirectory),
            ("ANTHROPIC_BASE_URL", places.modelURL),
            ("ANTHROPIC_API_KEY", modelToken),
            ("NO_PROXY", "127.0.0.1"),
            ("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1"),
            ("CLAUDE_CODE_DISABLE_AUTO_MEMORY", "1"),
            ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1"),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "1"),
            ("CLAUDE_CODE_MAX_RETRIES", String(Self.retries)),
            ("DISABLE_AUTOUPDATER", "1"),
            ("DISABLE_TELEMETRY", "1"),
        ]
    }

    private var promptLine: [UInt8] {
        var line = JSONWriter(reserving: spec.prompt.utf8.count + 256)
        line.beginObject()
        line.member("type", "user")
        line.key("message")
        line.beginObject()
        line.member("role", "user")
        line.key("content")
        line.beginArray()
        line.beginObject()
        line.member("type", "text")
        line.member("text", spec.prompt)
        line.endObject()
        line.endArray()
        line.endObject()
        line.key("parent_tool_use_id")
        line.null()
        line.member("session_id", "")
        line.member("uuid", messageID)
        // Without it a leading slash is a command and `@file` pulls a file in.
        line.member("client_composed", true)
        line.endObject()
        return line.bytes + [UInt8(ascii: "\n")]
    }

    /// Letters, digits and what names of models and their releases are joined with, at most 128 of them.
    static func isModelName(_ name: String) -> Bool {
        let joiners = Set("-._:/@[]".utf8)
        return (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: joiners.contains(byte)
                }
            }
    }
}
