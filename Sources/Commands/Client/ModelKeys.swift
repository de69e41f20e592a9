import Bytes
import Core
import HTTP

/// Whose model key a command is about.
enum ModelKeyTarget: Sendable {
    case me
    /// A team, by its id or its name.
    case team(String)

    /// The place of the key on the server.
    func path(_ client: Client) async throws -> String {
        switch self {
        case .me: "/v1/me/model-key"
        case .team(let named): "/v1/teams/\(try await client.teamID(named))/model-key"
        }
    }
}

/// The options of the commands that set a model key, and what becomes of them.
struct ModelKeySetting: Sendable {
    static let options = [
        Option("--base-url", "URL", "a gateway that speaks the provider's protocol, instead of the provider itself"),
        Option("--key-file", "FILE", "take the key from a file; - is standard input, as when it is a pipe"),
        Option("--no-verify", "keep the key without asking the provider whether it takes it"),
        Option("--json", "print the server's document"),
    ]
    /// The longest key that a server takes, and its line end.
    private static let limit = 4_098

    private let baseURL: String?
    private let file: String?
    private let isVerified: Bool
    private let isJSON: Bool

    init(_ arguments: Arguments) {
        baseURL = arguments.value("--base-url")
        file = arguments.value("--key-file")
        isVerified = !arguments.has("--no-verify")
        isJSON = arguments.has("--json")
    }

    /// Sends the key, and says what the provider said of it.
    func run(_ target: ModelKeyTarget, on client: Client, _ terminal: Terminal) async throws {
        let key = try await key()
        var members: [(String, JSONValue)] = [("provider", .string(baseURL == nil ? "anthropic" : "compatible"))]
        if let baseURL { members.append(("base_url", .string(baseURL))) }
        members.append(("key", .string(key)))
        let path = try await target.path(client) + (isVerified ? "" : "?verify=false")
        // Not repeated: each try may make the server ask the provider.
        let answer = try await client.session.change(.put, path, .object(JSONObject(members)))
        guard !isJSON else { return terminal.put(answer.encoded() + [UInt8(ascii: "\n")]) }
        switch answer["verification"]?.string {
        case "accepted": terminal.note("the key is kept; the model provider takes it")
        case "unclear":
            let detail = VisibleText.line(answer["verification_detail"]?.string ?? "")
            terminal.note("the key is kept; whether the provider takes it is not clear: \(detail)")
        default: terminal.note("the key is kept; nobody has asked the model provider")
        }
    }

    /// The key from where no other process sees it: never from the command line.
    private func key() async throws -> String {
        var text: String
        if let file = file ?? (InputText.isPiped ? "-" : nil) {
            text = try await InputText.read(file, limit: Self.limit, what: "the key")
        } else {
            guard let typed = try await PersonalInput.ask("Model key: ", isSecret: true) else {
                throw CommandFailure("there is nobody to ask: name a file with --key-file", exitCode: ExitCode.usage)
            }
            text = typed
        }
        while text.hasSuffix("\n") || text.hasSuffix("\r\n") { text.removeLast() }
        guard !text.isEmpty else { throw CommandFailure("the key is empty", exitCode: ExitCode.usage) }
        return text
    }
}

extension Client {
    /// Shows what the server tells of a model key.
    func showModelKey(of target: ModelKeyTarget, isJSON: Bool, _ terminal: Terminal) async throws {
        let document = try await session.get(try await target.path(self))
        if isJSON {
            terminal.put(document.encoded() + [UInt8(ascii: "\n")])
        } else {
            for line in DocumentText.lines(document) { terminal.print(line) }
        }
    }

    /// Has the server forget a model key.
    func removeModelKey(of target: ModelKeyTarget, _ terminal: Terminal) async throws {
        _ = try await session.call(.delete, try await target.path(self), repeats: .never)
        terminal.note("the key is gone; jobs that run keep it to their end")
    }

    /// The id of a team of the signed-in person, by its id or its name.
    fileprivate func teamID(_ named: String) async throws -> String {
        if TeamID(named) != nil { return named }
        let teams = try await session.get("/v1/me")["teams"]?.array ?? []
        let ids = teams.filter { $0["name"]?.string == named }.compactMap { $0["id"]?.string }
        guard let id = ids.first else {
            throw CommandFailure(
                "you are in no team \(VisibleText.line(named)): see `errand whoami`",
                exitCode: ExitCode.notFound
            )
        }
        guard ids.count == 1 else {
            throw CommandFailure(
                "several teams have this name: \(ids.joined(separator: ", "))",
                exitCode: ExitCode.usage
            )
        }
        return id
    }
}
