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
            let user = try await AdminTeams.account(email, in: store)
            let audit = AuditDraft.administration(
                isDisabled ? "user.disabled" : "user.enabled",
                target: user.id.description
            )
            _ = try await store.accounts.setDisabled(user.id, isDisabled, audit: audit)
        }
        terminal.note("\(email) is \(isDisabled ? "disabled; its tokens end within a second" : "enabled")")
        return ExitCode.done
    }
}
