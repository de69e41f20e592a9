import Core
package import Platform
import Store

/// `errand admin user reset-factor EMAIL`: for somebody who lost every second factor.
package struct UserResetFactor: Verb {
    package static let words = ["admin", "user", "reset-factor"]
    package static let usage = "EMAIL"
    package static let summary = "Take all second factors of an account away, and end its sign-ins."
    package static let options = [AdminOptions.data]

    private let arguments: Arguments
    private let email: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        email = try arguments.exactly("EMAIL")[0].lowercased()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let ended = try await AdminSession.run(arguments, on: loop) { store in
            guard let user = try await store.accounts.credentials(email: email)?.user else {
                throw CommandFailure("there is no account with the address \(email)", exitCode: ExitCode.notFound)
            }
            let now = WallClock.now()
            return try await store.factors.resetFactors(
                of: user.id,
                notice: Notice(.factorDisabled, at: now),
                audit: .administration(
                    "factor.disabled",
                    target: user.id.description,
                    at: now,
                    details: [AuditDetail("method", "all")]
                )
            )
        }
        guard let ended else { throw CommandFailure("\(email) has no second factor", exitCode: ExitCode.notFound) }
        terminal.note(
            "\(email) signs in with the password alone; \(ended.count) sign-ins end within a second. "
                + "See that it is the person who asked"
        )
        return ExitCode.done
    }
}
