import Bytes
import Core
import Operations
import Platform
import Store

/// What the first start of an installation creates, and later ones find.
enum FirstStart {
    /// Makes the administrator unless there is an account; answers with the team that the installation's key serves.
    static func administrator(in store: Store, _ data: DataDirectory) async throws -> TeamID? {
        let email = Installation.adminEmail
        if try await store.accounts.users().isEmpty {
            let password = try await data.secret("admin-password", length: 24)
            _ = try await Accounts.create(
                email: email,
                name: "Administrator",
                password: password.reveal(),
                isAdministrator: true,
                in: store
            )
        }
        guard let user = try await store.accounts.credentials(email: email)?.user else { return nil }
        return try await store.teams.memberships(of: user.id).first?.team.id
    }

    /// A fresh enrolment token while the worker of this directory has no credential yet.
    static func enrolment(in store: Store, _ data: DataDirectory) async throws -> String? {
        let path = "\(data.worker)/state/worker.json"
        if try await BlockingPool.run({ Files.exists(path) }) { return nil }
        do {
            return try await Workers.create(name: "local", in: store).token
        } catch StoreError.conflict {
            // A first start that was interrupted left the name, and a token that nobody knows any more.
            return try await Workers.create(name: "local-\(WallClock.now().milliseconds)", in: store).token
        }
    }
}
