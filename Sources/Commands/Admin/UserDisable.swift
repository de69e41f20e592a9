import Core
package import Platform
import Store

/// `errand admin user disable EMAIL`: no sign-in, and the end of all that stand.
package struct UserDisable: Verb {
    package static let words = ["admin", "user", "disable"]
    package static let usage = "EMAIL [--enable]"
    package static let summary = "Disable an account and end its sign-ins, or enable it again."
    package static let options = [Option("--enable", "enable the account again"), AdminOptions.data]

    private let arguments: Arguments
    private let email: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        email = try arguments.exactly("EMAIL")[0].lowercased()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let isDisabled = !arguments.has("--enable")
        try await AdminSession.run(arguments, on: loop) { store in
            let unknown = CommandFailure("there is no account with the address \(email)", exitCode: ExitCode.notFound)
            guard let user = try await store.accounts.credentials(email: email)?.user else { throw unknown }
            let audit = AuditDraft.administration(
                isDisabled ? "user.disabled" : "user.enabled",
                target: user.id.description
            )
            guard try await store.accounts.setDisabled(user.id, isDisabled, audit: audit) else { throw unknown }
        }
        terminal.note("\(email) is \(isDisabled ? "disabled; its tokens end within a second" : "enabled")")
        return ExitCode.done
    }
}
