import Bytes
import Core
package import Platform

/// `errand account devices`: where the account is signed in.
package struct AccountDevices: Verb {
    package static let words = ["account", "devices"]
    package static let usage = "[--json]"
    package static let summary = "List the devices that are signed in, newest first."
    package static let options = [Option("--json", "print the devices' documents as an array")]

    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let items = try await client.items("/v1/me/devices")
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        let table = DeviceTable.layOut(items, now: WallClock.now())
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}

/// Devices as a table.
enum DeviceTable {
    /// A row for each document of a device; a star marks the one that asks.
    static func layOut(_ devices: [JSONValue], now: Timestamp) -> Table {
        var table = Table("", "NAME", "ADDRESS", "LAST USED", "SIGNED IN", "ID", "CLIENT")
        for device in devices {
            table.add(
                device["current"]?.bool == true ? "*" : "",
                VisibleText.cut(VisibleText.line(device["name"]?.string ?? ""), to: 24),
                device["address"]?.string ?? "",
                age(device, "last_used_at", now),
                age(device, "created_at", now),
                device["id"]?.string ?? "",
                device["user_agent"]?.string ?? ""
            )
        }
        return table
    }

    private static func age(_ device: JSONValue, _ name: String, _ now: Timestamp) -> String {
        device[name]?.string.flatMap { Timestamp(rfc3339: $0) }.map { HumanText.age(now - $0) + " ago" } ?? ""
    }
}
