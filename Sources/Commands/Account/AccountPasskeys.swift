import Bytes
import Core
package import Platform

/// `errand account passkeys`: the account's passkeys; a browser adds them.
package struct AccountPasskeys: Verb {
    package static let words = ["account", "passkeys"]
    package static let usage = "[--json]"
    package static let summary = "List the account's passkeys, oldest first."
    package static let options = [Option("--json", "print the passkeys' documents as an array")]

    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let items = try await client.session.get("/v1/me/passkeys")["items"]?.array ?? []
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        for line in PasskeyTable.layOut(items, now: WallClock.now()).lines(width: ClientEnvironment.terminalWidth()) {
            terminal.print(line)
        }
        return ExitCode.done
    }
}

/// Passkeys as a table.
enum PasskeyTable {
    static func layOut(_ passkeys: [JSONValue], now: Timestamp) -> Table {
        var table = Table("NAME", "LAST USED", "ADDED", "ID")
        for passkey in passkeys {
            table.add(
                VisibleText.cut(VisibleText.line(passkey["name"]?.string ?? ""), to: 40),
                age(passkey, "last_used_at", now) ?? "never",
                age(passkey, "created_at", now) ?? "",
                passkey["id"]?.string ?? ""
            )
        }
        return table
    }

    private static func age(_ passkey: JSONValue, _ name: String, _ now: Timestamp) -> String? {
        passkey[name]?.string.flatMap { Timestamp(rfc3339: $0) }.map { HumanText.age(now - $0) + " ago" }
    }
}
