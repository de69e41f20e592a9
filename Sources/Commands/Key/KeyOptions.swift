import Bytes
import Core

/// What the verbs on API keys and service accounts share.
enum KeyOptions {
    static let team = Option("--team", "ID", "the team; the only one unless given")
    static let json = Option("--json", "print the server's document")

    /// The team that a command line means: the named one, else the only one.
    static func team(_ arguments: Arguments, _ client: Client) async throws -> TeamID {
        if let text = arguments.value("--team") {
            guard let team = TeamID(text) else {
                throw CommandFailure("\(VisibleText.line(text)) is no team's id (team_…)", exitCode: ExitCode.usage)
            }
            return team
        }
        let teams = try await client.session.get("/v1/teams")["items"]?.array ?? []
        let ids = teams.compactMap { $0["id"]?.string.flatMap { TeamID($0) } }
        guard ids.count == 1 else {
            throw CommandFailure("which team? Name it with --team; see `errand whoami`", exitCode: ExitCode.usage)
        }
        return ids[0]
    }

    /// A life in whole days, such as `90d`; nil when none was given.
    static func days(_ arguments: Arguments, _ name: String) throws(UsageError) -> Int64? {
        guard let text = arguments.value(name) else { return nil }
        guard let seconds = HumanText.seconds(text), seconds >= 86_400, seconds.isMultiple(of: 86_400) else {
            throw UsageError("\(name) takes whole days, such as 90d")
        }
        return Int64(seconds / 86_400)
    }

    /// An API key's id.
    static func key(_ word: String) throws(UsageError) -> APIKeyID {
        guard let key = APIKeyID(word) else {
            throw UsageError("\(word) is not an API key's id (key_…): see `errand key list`")
        }
        return key
    }

    /// Shows a secret that is shown once: itself to standard output, the rest to the person.
    static func show(_ answer: JSONValue, isJSON: Bool, _ terminal: Terminal) {
        if isJSON {
            terminal.put(answer.encoded() + [UInt8(ascii: "\n")])
            return
        }
        let key = answer["key"]
        terminal.note("key \(VisibleText.line(key?["id"]?.string ?? "")); the secret is shown this once")
        terminal.print(VisibleText.line(answer["secret"]?.string ?? ""))
    }
}
