import Bytes
import Core

/// What `errand run` asks the server for.
struct RunRequest: Sendable {
    let isCommand: Bool
    private let words: [String]
    private let workspace: WorkspaceMode?
    private let timeout: Int?
    private let priority: Int?
    private let maxAttempts: Int?
    private let model: String?
    private let maxTurns: Int?
    private let environment: [(String, String)]
    private let input: String?

    init(_ arguments: Arguments) throws(UsageError) {
        words = arguments.words
        isCommand = arguments.has("--command")
        if let text = arguments.value("--workspace") {
            guard let mode = WorkspaceMode(rawValue: text) else {
                throw UsageError("--workspace must be project or none")
            }
            workspace = mode
        } else {
            workspace = nil
        }
        timeout = try Self.timeout(arguments)
        priority = try arguments.integer("--priority", in: JobLimits.priorities)
        maxAttempts = try arguments.integer("--max-attempts", in: 1...JobLimits.attempts)
        model = arguments.value("--model")
        maxTurns = try arguments.integer("--max-turns", in: 1...JobLimits.turns)
        environment = try Self.variables(arguments.all("--env"))
        input = arguments.value("--stdin")
        let misplaced = (isCommand ? ["--model", "--max-turns"] : ["--env", "--stdin"]).filter { arguments.has($0) }
        if let name = misplaced.first {
            throw UsageError(isCommand ? "\(name) is for the agent, not for --command" : "\(name) needs --command")
        }
        if isCommand, words.isEmpty { throw UsageError("expected: --command -- ARGV…") }
    }

    /// Where to send it.
    var path: String { isCommand ? "/v1/jobs" : "/v1/claude/execute" }

    /// The document to send; reads the prompt or the input when they come from elsewhere.
    func body(project: String) async throws -> JSONValue {
        var members: [(String, JSONValue)] = [("project_id", .string(project))]
        if isCommand {
            members.append(("kind", .string(JobKind.command.rawValue)))
            members.append(("argv", .array(words.map { .string($0) })))
            if !environment.isEmpty {
                members.append(("env", .object(JSONObject(environment.map { ($0.0, .string($0.1)) }))))
            }
            if let input {
                let text = try await InputText.read(input, limit: JobLimits.standardInputBytes, what: "--stdin")
                members.append(("stdin", .string(text)))
            }
        } else {
            members.append(("prompt", .string(try await prompt())))
            if let model { members.append(("model", .string(model))) }
            if let maxTurns { members.append(("max_turns", .integer(Int64(maxTurns)))) }
        }
        if let workspace { members.append(("workspace", .string(workspace.rawValue))) }
        if let timeout { members.append(("timeout_seconds", .integer(Int64(timeout)))) }
        if let priority { members.append(("priority", .integer(Int64(priority)))) }
        if let maxAttempts { members.append(("max_attempts", .integer(Int64(maxAttempts)))) }
        return .object(JSONObject(members))
    }

    private func prompt() async throws -> String {
        guard words.isEmpty || words == ["-"] else { return words.joined(separator: " ") }
        guard words == ["-"] || InputText.isPiped else {
            throw CommandFailure("expected: PROMPT…, or `-` to read it from standard input", exitCode: ExitCode.usage)
        }
        let text = try await InputText.read("-", limit: JobLimits.promptBytes, what: "the prompt")
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw CommandFailure("the prompt is empty", exitCode: ExitCode.usage)
        }
        return text
    }

    private static func timeout(_ arguments: Arguments) throws(UsageError) -> Int? {
        guard let text = arguments.value("--timeout") else { return nil }
        guard let seconds = HumanText.seconds(text), (1...JobLimits.timeoutSeconds).contains(seconds) else {
            throw UsageError("--timeout must be a time such as 90, 10m or 2h, of a year at most")
        }
        return seconds
    }

    private static func variables(_ texts: [String]) throws(UsageError) -> [(String, String)] {
        var variables: [(String, String)] = []
        for text in texts {
            let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            let name = halves[0]
            guard !name.isEmpty else { throw UsageError("--env must be NAME=VALUE or NAME") }
            guard let value = halves.count == 2 ? halves[1] : ClientEnvironment.variable(name) else {
                throw UsageError("--env \(name): there is no such variable here to pass on")
            }
            variables.removeAll { $0.0 == name }
            variables.append((name, value))
        }
        return variables
    }
}
