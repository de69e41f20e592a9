import Bytes
import HTTP
package import Platform

/// `errand account reset`: sets a new password by the link that an administrator made.
package struct AccountReset: Verb {
    package static let words = ["account", "reset"]
    package static let usage = "[--link-file FILE] [--new-file FILE] [--ca FILE]"
    package static let summary = "Set a new password by a reset link; asks for what is not given."
    package static let options = [
        Option("--link-file", "FILE", "read the link from a file, or from standard input for `-`: it is a secret"),
        Option("--new-file", "FILE", "read the new password from a file, or from standard input for `-`"),
        Option("--ca", "FILE", "trust the certificate authority in this PEM file"),
    ]

    private let linkFile: String?
    private let newFile: String?
    private let caFile: String?

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        linkFile = arguments.value("--link-file")
        newFile = arguments.value("--new-file")
        caFile = arguments.value("--ca")
        if linkFile == "-", newFile == "-" { throw UsageError("only one of the two can be standard input") }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let environment = ClientEnvironment.ofProcess()
        let stored = try? await CredentialFile(environment).load()
        let link = try await PasswordInput.read(linkFile, "Link: ", option: "--link-file")
        guard let mark = link.firstRange(of: "/reset?token=") ?? link.firstRange(of: "/reset#") else {
            throw CommandFailure(
                "this is no reset link: it looks like https://HOST/reset?token=erp_…",
                exitCode: ExitCode.usage
            )
        }
        let server = try ServerAddress(String(link[..<mark.lowerBound]))
        let new = try await PasswordInput.readNew(newFile, option: "--new-file")
        let session = try ClientSession(
            loop: loop,
            output: OutputQueue(loop: loop, style: environment.outputStyle()),
            server: server,
            caFile: caFile ?? environment["ERRAND_CA"] ?? (stored?.url == server.text ? stored?.caFile : nil),
            credentials: nil,
            file: nil,
            fixedToken: nil
        )
        let body = JSONObject([
            ("token", .string(String(link[mark.upperBound...]))), ("new_password", .string(new)),
        ])
        try await session.post(withoutToken: "/v1/auth/reset", .object(body))
        terminal.note("the password is set; sign in with `errand login`")
        return ExitCode.done
    }
}

/// Secrets that a person types, or hands over in a file.
enum PasswordInput {
    /// A secret from a file, else from the person at the terminal.
    static func read(_ file: String?, _ question: String, option: String) async throws -> String {
        if let file {
            // Files end with a line break that no secret has.
            let text = try await InputText.read(file, limit: 4_096, what: "the secret")
            return String(text.hasSuffix("\n") ? text.dropLast() : text[...])
        }
        guard let typed = try await PersonalInput.ask(question, isSecret: true) else {
            throw CommandFailure("there is no terminal to ask on: give \(option)", exitCode: ExitCode.usage)
        }
        guard !typed.isEmpty else { throw CommandFailure("nothing was typed", exitCode: ExitCode.usage) }
        return typed
    }

    /// A new password; a person types it twice.
    static func readNew(_ file: String?, option: String) async throws -> String {
        let first = try await read(file, "New password: ", option: option)
        guard file == nil else { return first }
        guard try await read(nil, "The same again: ", option: option) == first else {
            throw CommandFailure("the two are not the same", exitCode: ExitCode.usage)
        }
        return first
    }
}
