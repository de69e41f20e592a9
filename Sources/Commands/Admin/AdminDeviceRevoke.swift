import Core
package import Platform
import Store

/// `errand admin device revoke EMAIL ID|--all`: the end of somebody's sign-ins.
package struct AdminDeviceRevoke: Verb {
    package static let words = ["admin", "device", "revoke"]
    package static let usage = "EMAIL (ID | --all [--yes]) [options]"
    package static let summary = "Sign an account out on one device, or on all of them."
    package static let options = [
        Option("--all", "every device of the account"), Confirmation.option, AdminOptions.data,
    ]

    private let arguments: Arguments
    private let email: String
    /// Nil for all of them.
    private let device: SignInID?

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        if arguments.has("--all") {
            email = try arguments.exactly("EMAIL")[0].lowercased()
            device = nil
        } else {
            let words = try arguments.exactly("EMAIL", "ID")
            email = words[0].lowercased()
            guard let id = SignInID(words[1]) else {
                throw UsageError("\(words[1]) is not a device's id: `errand admin device list \(words[0])` shows them")
            }
            device = id
        }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let now = WallClock.now()
        let count = try await AdminSession.run(arguments, on: loop) { store in
            let user = try await AdminTeams.account(email, in: store)
            let audit = AuditDraft.administration(
                "sign_in.revoked",
                target: (device?.description ?? user.id.description),
                at: now
            )
            guard let device else {
                try await Confirmation.demand("Sign \(email) out on every device?", arguments)
                return try await store.accounts.revokeAll(of: user.id, except: nil, now: now, audit: audit).count
            }
            guard try await store.accounts.revoke(device, of: user.id, now: now, audit: audit) else {
                throw CommandFailure("\(email) is not signed in on \(device)", exitCode: ExitCode.notFound)
            }
            return 1
        }
        terminal.note("\(email) is signed out on \(count) device\(count == 1 ? "" : "s"); tokens end within a second")
        return ExitCode.done
    }
}
