import Bytes
import Core

extension JobAssignment {
    /// Writes this assignment as one JSON object.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("attempt", attempt.description)
        writer.member("project", project.description)
        writer.member("workspace", workspace.rawValue)
        writer.member("policy", policy.rawValue)
        writer.member("timeout_seconds", timeoutSeconds)
        writer.key("model")
        if let model {
            writer.beginObject()
            writer.member("provider", model.endpoint.provider.rawValue)
            writer.member("base_url", model.endpoint.baseURL)
            writer.member("reach", model.endpoint.reach.rawValue)
            writer.member("api_key", model.apiKey)
            writer.endObject()
        } else {
            writer.null()
        }
        switch work {
        case .claude(let spec):
            writer.key("claude")
            spec.write(to: &writer)
        case .command(let spec):
            writer.key("command")
            spec.write(to: &writer)
        }
        writer.endObject()
    }

    /// Reads an assignment within the bounds of `JobLimits`.
    init(_ value: JSONValue) throws(LinkError) {
        let isAgent = value["claude"] != nil
        let fields = try LinkFields(
            value,
            path: "jobs",
            allowed: [
                "attempt", "project", "workspace", "policy", "timeout_seconds", "model", isAgent ? "claude" : "command",
            ]
        )
        self.init(
            attempt: try fields.attempt("attempt"),
            project: try fields.id("project", as: ProjectNoun.self),
            workspace: try fields.word("workspace", as: WorkspaceMode.self),
            policy: try fields.word("policy", as: AgentPolicy.self),
            work: isAgent
                ? .claude(try ClaudeSpec(try fields.value("claude")))
                : .command(try CommandSpec(try fields.value("command"))),
            timeoutSeconds: try fields.optionalInteger("timeout_seconds", in: 1...JobLimits.timeoutSeconds),
            model: try fields.optional("model").map { value throws(LinkError) in try ModelGrant(value) }
        )
    }
}

extension ModelGrant {
    fileprivate init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(value, path: "jobs.model", allowed: ["provider", "base_url", "reach", "api_key"])
        self.init(
            endpoint: ModelEndpoint(
                provider: try fields.word("provider", as: ModelProvider.self),
                baseURL: try fields.text("base_url", limit: LinkProtocol.grantBytes),
                reach: try fields.word("reach", as: ModelReach.self)
            ),
            apiKey: try fields.text("api_key", limit: LinkProtocol.grantBytes)
        )
    }
}

extension ClaudeSpec {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("prompt", prompt)
        writer.member("model", model)
        writer.member("max_turns", maxTurns)
        writer.endObject()
    }

    fileprivate init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(value, path: "jobs.claude", allowed: ["prompt", "model", "max_turns"])
        self.init(
            prompt: try fields.text("prompt", limit: JobLimits.promptBytes),
            model: try fields.optionalText("model", limit: 256),
            maxTurns: try fields.optionalInteger("max_turns", in: 1...JobLimits.turns)
        )
    }
}

extension CommandSpec {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("argv")
        writer.beginArray()
        for argument in argv { writer.string(argument) }
        writer.endArray()
        writer.key("env")
        writer.beginObject()
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) { writer.member(name, value) }
        writer.endObject()
        writer.member("stdin", standardInput)
        writer.endObject()
    }

    fileprivate init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(value, path: "jobs.command", allowed: ["argv", "env", "stdin"])
        var argv: [String] = []
        for element in try fields.array("argv", limit: JobLimits.arguments) {
            guard let argument = element.string, Self.isPlain(argument) else {
                throw LinkError(.invalidField, fields.path("argv"))
            }
            argv.append(argument)
        }
        guard let program = argv.first, !program.isEmpty else { throw LinkError(.invalidField, fields.path("argv")) }
        guard let variables = try fields.value("env").object else { throw LinkError(.invalidField, fields.path("env")) }
        guard variables.count <= JobLimits.environmentVariables else {
            throw LinkError(.tooLarge, fields.path("env"))
        }
        var environment: [String: String] = [:]
        for variable in variables.members {
            guard let text = variable.value.string, Self.isPlain(text), Self.isPlain(variable.name),
                !variable.name.isEmpty, !variable.name.utf8.contains(UInt8(ascii: "="))
            else { throw LinkError(.invalidField, fields.path("env")) }
            environment[variable.name] = text
        }
        self.init(
            argv: argv,
            environment: environment,
            standardInput: try fields.optionalText("stdin", limit: JobLimits.standardInputBytes)
        )
    }

    /// What the kernel takes as one argument: no NUL, not too long.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= JobLimits.argumentBytes && !text.utf8.contains(0)
    }
}
