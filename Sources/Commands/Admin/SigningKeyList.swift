import Auth
import Bytes
import Operations
package import Platform

/// `errand admin key list`: the keys that sign access tokens.
package struct SigningKeyList: Verb {
    package static let words = ["admin", "key", "list"]
    package static let usage = "[options]"
    package static let summary = "List the keys that sign access tokens."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let file = SigningKeyFile(try Configuration.load(), dataDirectory: arguments.value("--data"))
        let set = try file.load()
        let now = WallClock.now()
        if arguments.has("--json") {
            terminal.put(SigningKeyRendering.json(set, at: now) + [UInt8(ascii: "\n")])
        } else {
            for line in SigningKeyRendering.table(set, at: now).lines() { terminal.print(line) }
        }
        return ExitCode.done
    }
}

/// Signing keys as people and programs read them; never a secret part.
enum SigningKeyRendering {
    /// What a key is doing at an instant.
    static func state(of key: SigningKey, in set: SigningKeySet, at now: Timestamp) -> String {
        if let end = key.retiresAt, now >= end { return "retired" }
        if set.signer(at: now).identifier == key.identifier { return "signs" }
        return key.signsFrom > now ? "published" : "verifies"
    }

    /// The keys as a JSON array.
    static func json(_ set: SigningKeySet, at now: Timestamp) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for key in set.keys {
            writer.beginObject()
            writer.member("kid", key.identifier)
            writer.member("state", state(of: key, in: set, at: now))
            writer.member("created_at", key.createdAt)
            writer.member("signs_from", key.signsFrom)
            writer.member("retires_at", key.retiresAt)
            writer.endObject()
        }
        writer.endArray()
        return writer.bytes
    }

    /// The keys as a table.
    static func table(_ set: SigningKeySet, at now: Timestamp) -> Table {
        var table = Table("KID", "STATE", "SIGNS FROM", "RETIRES")
        for key in set.keys {
            table.add(
                key.identifier,
                state(of: key, in: set, at: now),
                key.signsFrom.rfc3339,
                key.retiresAt?.rfc3339 ?? ""
            )
        }
        return table
    }
}
