import Bytes
import Core
package import Platform
import Store

/// `errand admin user list`: all accounts.
package struct UserList: Verb {
    package static let words = ["admin", "user", "list"]
    package static let usage = "[options]"
    package static let summary = "List all accounts."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let users = try await AdminSession.run(arguments, on: loop) { try await $0.accounts.users() }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginArray()
            for user in users {
                writer.beginObject()
                writer.member("id", user.id.description)
                writer.member("email", user.email)
                writer.member("name", user.name)
                writer.member("is_administrator", user.isAdministrator)
                writer.member("is_disabled", user.isDisabled)
                writer.member("created_at", user.createdAt)
                writer.endObject()
            }
            writer.endArray()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            for user in users {
                let marks = (user.isAdministrator ? " administrator" : "") + (user.isDisabled ? " disabled" : "")
                terminal.print("\(user.id)  \(user.email)\(marks)")
            }
        }
        return ExitCode.done
    }
}
