import Bytes
import HTTP
package import Platform

/// `errand account password`: changes the password, which ends all other sign-ins.
package struct AccountPassword: Verb {
    package static let words = ["account", "password"]
    package static let usage = "[--current-file FILE] [--new-file FILE]"
    package static let summary = "Change the password; every other device is signed out."
    package static let options = [
        Option("--current-file", "FILE", "read the present password from a file, or from standard input for `-`"),
        Option("--new-file", "FILE", "read the new password from a file, or from standard input for `-`"),
    ]

    private let currentFile: String?
    private let newFile: String?

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        currentFile = arguments.value("--current-file")
        newFile = arguments.value("--new-file")
        if currentFile == "-", newFile == "-" { throw UsageError("only one of the two can be standard input") }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let current = try await PasswordInput.read(currentFile, "Present password: ", option: "--current-file")
        let new = try await PasswordInput.readNew(newFile, option: "--new-file")
        let body = JSONObject([("current_password", .string(current)), ("new_password", .string(new))])
        _ = try await client.session.call(.post, "/v1/me/password", body: .object(body), repeats: .never)
        terminal.note("the password is changed; other devices are signed out")
        return ExitCode.done
    }
}
