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
        return try await servedTeam(in: store, data, of: email)
    }

    /// The administrator's own team as it was first found; nil once it is gone: the key must not move to another by itself.
    private static func servedTeam(in store: Store, _ data: DataDirectory, of email: String) async throws -> TeamID? {
        let path = "\(data.root)/first-team"
        if try await BlockingPool.run({ Files.exists(path) }) {
            let bytes = try await BlockingPool.run { try Files.readAll(path, limit: 64) }
            guard let kept = TeamID(String(decoding: bytes, as: UTF8.self)) else {
                throw CommandFailure("\(path) is damaged: remove it")
            }
            return try await store.teams.team(kept, scope: .system)?.value.id
        }
        guard let user = try await store.accounts.credentials(email: email)?.user,
            let own = try await store.teams.memberships(of: user.id).first(where: { $0.role == .owner })?.team.id
        else { return nil }
        try await BlockingPool.run { try Files.writeAtomically(path, Array(own.description.utf8), mode: 0o600) }
        return own
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
