import Bytes
package import Platform

/// `errand account notices`: what the person should know about their account.
package struct AccountNotices: Verb {
    package static let words = ["account", "notices"]
    package static let usage = "[--json]"
    package static let summary = "Show what happened to the account: new devices, changed passwords, stolen tokens."
    package static let options = [Option("--json", "print the notices' documents as an array")]

    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let items = try await client.session.get("/v1/me/notices")["items"]?.array ?? []
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        var table = Table("WHEN", "WHAT", "ADDRESS", "DEVICE", "CLIENT")
        for item in items {
            table.add(
                item["created_at"]?.string ?? "",
                item["kind"]?.string ?? "",
                item["address"]?.string ?? "",
                item["device_name"]?.string ?? "",
                item["user_agent"]?.string ?? ""
            )
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}
