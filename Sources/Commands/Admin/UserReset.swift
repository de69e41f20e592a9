import Auth
import Bytes
import Core
import Operations
package import Platform
import Store

/// `errand admin user reset EMAIL`: a one-time link by which a person sets a new password.
package struct UserReset: Verb {
    package static let words = ["admin", "user", "reset"]
    package static let usage = "EMAIL [options]"
    package static let summary =
        "Print a link, good once and for 15 minutes, to a new password that the person chooses."
    package static let options = [
        Option("--url", "URL", "where people reach the server, unless ERRAND_PUBLIC_URL or the `errand up` says so"),
        AdminOptions.data, AdminOptions.json,
    ]

    private let arguments: Arguments
    private let email: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        email = try arguments.exactly("EMAIL")[0].lowercased()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let base = try publicURL()
        let token = PasswordResetToken.make()
        let now = WallClock.now()
        let end = now.adding(PasswordResetToken.lifetime)
        try await AdminSession.run(arguments, on: loop) { store in
            let unknown = CommandFailure("there is no account with the address \(email)", exitCode: ExitCode.notFound)
            guard let user = try await store.accounts.credentials(email: email)?.user else { throw unknown }
            let isIssued = try await store.passwords.issueReset(
                user.id,
                hash: token.hash,
                now: now,
                expiresAt: end,
                audit: .administration("password.reset_issued", target: user.id.description, at: now)
            )
            guard isIssued else { throw unknown }
        }
        let link = token.link(base)
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("email", email)
            writer.member("link", link)
            writer.member("expires_at", end)
            writer.endObject()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.note("hand this to \(email) on a way that nobody reads along; it works once, until \(end.rfc3339)")
            terminal.print(link)
        }
        return ExitCode.done
    }

    /// The server's address for people: named here, configured, or that of the `errand up`.
    private func publicURL() throws -> String {
        let configuration = try Configuration.load()
        let directory = arguments.value("--data") ?? configuration.dataDirectory
        let named = arguments.value("--url") ?? (arguments.value("--data") == nil ? configuration.publicURL : nil)
        guard let url = named ?? (try? RunningInstallation.read(directory))?.url else {
            throw CommandFailure("where do people reach the server? Name it with --url", exitCode: ExitCode.usage)
        }
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }
}
