import Auth
import Bytes
import Core
import Glibc
package import Platform
import Store

/// `errand admin user create EMAIL`: an account with a team of its own.
package struct UserCreate: Verb {
    package static let words = ["admin", "user", "create"]
    package static let usage = "EMAIL [options]"
    package static let summary = "Create an account and print its first password."
    package static let options = [
        Option("--name", "NAME", "the person's name (default: the address)"),
        Option("--admin", "make the person an administrator of this installation"),
        Option("--password-file", "FILE", "take the password from a file instead of making one; - is standard input"),
        AdminOptions.data, AdminOptions.json,
    ]

    private let arguments: Arguments
    private let email: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let word = try arguments.exactly("EMAIL")[0]
        guard let email = EmailAddress.canonical(word) else { throw UsageError("\(word) is not a mail address") }
        self.email = email
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let password = try password()
        let user = try await AdminSession.run(arguments, on: loop) { store in
            try await Accounts.create(
                email: email,
                name: arguments.value("--name") ?? email,
                password: password,
                isAdministrator: arguments.has("--admin"),
                in: store
            )
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("id", user.id.description)
            writer.member("email", user.email)
            if arguments.value("--password-file") == nil { writer.member("password", password) }
            writer.endObject()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.note("created \(user.email) (\(user.id))")
            if arguments.value("--password-file") == nil { terminal.print(password) }
        }
        return ExitCode.done
    }

    private func password() throws -> String {
        guard let path = arguments.value("--password-file") else { return Accounts.makePassword() }
        let bytes = try Files.readAll(path == "-" ? "/dev/stdin" : path, limit: 8 << 10)
        guard var text = String(strictUTF8: bytes) else { throw CommandFailure("the password is not UTF-8") }
        while text.hasSuffix("\n") || text.hasSuffix("\r") { text.removeLast() }
        if let rejection = PasswordRules.check(text, context: [email]) {
            throw CommandFailure("the password is refused: \(rejection)", exitCode: ExitCode.usage)
        }
        return text
    }
}
