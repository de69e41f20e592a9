import Auth
import Bytes
import Core
import Operations
package import Platform
import Store

/// `errand admin key master-list`: the keys that wrap stored secrets, and what needs them.
package struct MasterKeyList: Verb {
    package static let words = ["admin", "key", "master-list"]
    package static let usage = "[options]"
    package static let summary = "List the master keys of stored secrets, in the file and in the database."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let file = MasterKeyFile(try Configuration.load(), dataDirectory: arguments.value("--data"))
        let known = try await AdminSession.run(arguments, on: loop) { try await $0.secrets.masterKeys() }
        let rows = Self.rows(try file.load(), known)
        if arguments.has("--json") {
            terminal.put(Self.json(rows) + [UInt8(ascii: "\n")])
        } else {
            var table = Table("ID", "STATE", "SECRETS", "MADE")
            for row in rows {
                table.add(row.id.description, row.state, "\(row.secrets)", row.createdAt?.rfc3339 ?? "")
            }
            for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        }
        return rows.contains { $0.createdAt == nil } ? ExitCode.failed : ExitCode.done
    }

    private struct Row {
        let id: MasterKeyID
        let state: String
        let secrets: Int
        /// Nil when the file has not the key.
        let createdAt: Timestamp?
    }

    private static func rows(_ ring: MasterKeyRing, _ known: [MasterKeyUse]) -> [Row] {
        let uses = Dictionary(uniqueKeysWithValues: known.map { ($0.id, $0.secrets) })
        let held = ring.keys.map { key in
            let state = key.id == ring.current.id ? "current" : uses[key.id] == nil ? "unused" : "older"
            return Row(id: key.id, state: state, secrets: uses[key.id] ?? 0, createdAt: key.createdAt)
        }
        let missing = known.filter { ring[$0.id] == nil }
        return held + missing.map { Row(id: $0.id, state: "missing", secrets: $0.secrets, createdAt: nil) }
    }

    private static func json(_ rows: [Row]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for row in rows {
            writer.beginObject()
            writer.member("id", row.id.description)
            writer.member("state", row.state)
            writer.member("secrets", row.secrets)
            writer.member("created_at", row.createdAt)
            writer.endObject()
        }
        writer.endArray()
        return writer.bytes
    }
}
