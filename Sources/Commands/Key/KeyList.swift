import Bytes
import Core
package import Platform

/// `errand key list`: the API keys that the person may see.
package struct KeyList: Verb {
    package static let words = ["key", "list"]
    package static let usage = "[--team ID] [--json]"
    package static let summary = "List API keys, newest first: your own, or as an administrator the team's."
    package static let options = [KeyOptions.team, KeyOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await KeyOptions.team(arguments, client)
        let items = try await client.items("/v1/teams/\(team)/api-keys")
        if arguments.has("--json") {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        for line in KeyTable.layOut(items, now: WallClock.now()).lines(width: ClientEnvironment.terminalWidth()) {
            terminal.print(line)
        }
        return ExitCode.done
    }
}

/// API keys as a table.
enum KeyTable {
    /// A row for each document of a key.
    static func layOut(_ keys: [JSONValue], now: Timestamp) -> Table {
        var table = Table("NAME", "SECRET", "STATE", "LAST USED", "ACTS FOR", "ID", "SCOPES")
        for key in keys {
            let used = key["last_used_at"]?.string.flatMap { Timestamp(rfc3339: $0) }
            table.add(
                VisibleText.cut(VisibleText.line(key["name"]?.string ?? ""), to: 24),
                (key["hint"]?.string ?? "") + "…",
                state(key, now),
                used.map { HumanText.age(now - $0) + " ago" } ?? "never",
                key["acts_for"]?.string ?? "",
                key["id"]?.string ?? "",
                (key["scopes"]?.array ?? []).compactMap(\.string).joined(separator: " ")
            )
        }
        return table
    }

    private static func state(_ key: JSONValue, _ now: Timestamp) -> String {
        if key["revoked_at"]?.string != nil { return "revoked" }
        if key["has_expired"]?.bool == true { return "expired" }
        let end = key["expires_at"]?.string.flatMap { Timestamp(rfc3339: $0) }
        let rest = end.map { "ends in " + HumanText.age($0 - now) }
        if key["replaced_by"]?.string != nil { return "replaced, " + (rest ?? "") }
        return rest ?? "good"
    }
}
