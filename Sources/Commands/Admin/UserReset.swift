import Auth
import Bytes
import Core
import Operations
package import Platform
import Store

/// `errand admin user reset EMAIL`: a one-time link by which a person sets a new password, mailed or printed.
package struct UserReset: Verb {
    package static let words = ["admin", "user", "reset"]
    package static let usage = "EMAIL [options]"
    package static let summary =
        "Mail a link, good once and for 15 minutes, to a new password; without a mail server print it."
    package static let options = [
        Option("--print", "print the link although the server could send it"),
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
        if !arguments.has("--print"), try await send(on: loop, terminal) { return ExitCode.done }
        let base = try publicURL()
        let token = PasswordResetToken.make()
        let now = WallClock.now()
        let end = now.adding(PasswordResetToken.lifetime)
        try await AdminSession.run(arguments, on: loop) { store in
            let unknown = CommandFailure("there is no account with the address \(email)", exitCode: ExitCode.notFound)
            guard let user = try await store.accounts.credentials(email: email)?.user else { throw unknown }
            // A link would be refused, and must not begin to work some day.
            let disabled = CommandFailure(
                "\(email) is disabled: no link would work; enable it first with `errand admin user disable \(email) --enable`"
            )
            guard !user.isDisabled else { throw disabled }
            let isIssued = try await store.passwords.issueReset(
                user.id,
                hash: token.hash,
                now: now,
                expiresAt: end,
                audit: .administration("password.reset_issued", target: user.id.description, at: now)
            )
            guard isIssued else { throw disabled }
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

    /// Has the server make and send the link; false when it has no way to.
    private func send(on loop: EventLoop, _ terminal: Terminal) async throws -> Bool {
        let now = WallClock.now()
        let isQueued = try await AdminSession.open(arguments, on: loop) { session in
            let store = session.store
            guard session.isServed, try await !store.outbox.channels().isEmpty else { return false }
            guard let user = try await store.accounts.credentials(email: email)?.user, !user.isDisabled else {
                throw CommandFailure(
                    "there is no account with the address \(email) that can sign in",
                    exitCode: ExitCode.notFound
                )
            }
            let draft = AuditDraft.administration("password.reset_asked", target: user.id.description, at: now)
            try await store.audit.record([draft])
            let request = ResetRequest(id: LetterID(at: now), recipient: user.email, now: now)
            return try await store.outbox.askReset(request, most: nil)
        }
        guard isQueued else { return false }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("email", email)
            writer.member("queued", true)
            writer.endObject()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.note("a link is on its way to \(email); `errand admin outbox list` says whether it went out")
        }
        return true
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
