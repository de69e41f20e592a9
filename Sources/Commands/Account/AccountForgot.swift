import Bytes
import Core
import HTTP
package import Platform

/// `errand account forgot`: asks for a link to a new password.
package struct AccountForgot: Verb {
    package static let words = ["account", "forgot"]
    package static let usage = "EMAIL [--url URL] [--ca FILE]"
    package static let summary =
        "Ask for a mail with a link to a new password; without mail the administrator makes one."
    package static let options = [
        Option("--url", "URL", "the server; ERRAND_URL or the last one unless given"),
        Option("--ca", "FILE", "trust the certificate authority in this PEM file"),
    ]

    private let email: String
    private let url: String?
    private let caFile: String?

    package init(_ arguments: Arguments) throws(UsageError) {
        let word = try arguments.exactly("EMAIL")[0]
        guard let address = EmailAddress.canonical(word) else { throw UsageError("\(word) is not a mail address") }
        email = address
        url = arguments.value("--url")
        caFile = arguments.value("--ca")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let environment = ClientEnvironment.ofProcess()
        let stored = (try? await CredentialFile(environment).load()) ?? nil
        guard let text = url ?? environment["ERRAND_URL"] ?? stored?.url else {
            throw CommandFailure("which server? Name it with --url https://HOST:PORT", exitCode: ExitCode.usage)
        }
        let server = try ServerAddress(text)
        let session = try ClientSession(
            loop: loop,
            output: OutputQueue(loop: loop, style: environment.outputStyle()),
            server: server,
            caFile: caFile ?? environment["ERRAND_CA"] ?? (stored?.url == server.text ? stored?.caFile : nil),
            credentials: nil,
            file: nil,
            fixedToken: nil
        )
        try await session.post(withoutToken: "/v1/auth/forgot", .object(JSONObject([("email", .string(email))])))
        terminal.note(
            "if there is an account with this address and the server sends mail, a link is on its way; "
                + "it is for `errand account reset`. Without mail, ask the administrator for a link"
        )
        return ExitCode.done
    }
}
