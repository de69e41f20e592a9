import Auth
import Bytes
import Core
import Crypto
import Platform
import Store

/// Making accounts, for `errand admin` and for the first start of `errand up`.
enum Accounts {
    /// A password that nobody has to invent: 144 random bits.
    static func makePassword() -> String {
        Base64.encodeURL(SecureRandom.bytes(18))
    }

    /// Creates an account with a team of the same name, of which it is the owner.
    static func create(
        email: String,
        name: String,
        password: String,
        isAdministrator: Bool,
        in store: Store
    ) async throws -> User {
        let hash = try await BlockingPool.run { try PasswordCheck.hash(password) }
        let now = WallClock.now()
        let user = User(
            id: UserID(at: now),
            email: email,
            name: name,
            isAdministrator: isAdministrator,
            isDisabled: false,
            createdAt: now
        )
        let team = Team(id: TeamID(at: now), name: name, createdAt: now)
        do throws(StoreError) {
            try await store.accounts.createUser(
                user,
                passwordHash: hash,
                team: team,
                audit: [
                    .administration(
                        "user.created",
                        target: user.id.description,
                        at: now,
                        details: [
                            AuditDetail("email", email), AuditDetail("administrator", "\(isAdministrator)"),
                        ]
                    ),
                    .administration(
                        "team.created",
                        team: team.id,
                        target: team.id.description,
                        at: now,
                        details: [AuditDetail("owner", user.id.description)]
                    ),
                ]
            )
        } catch .conflict {
            throw CommandFailure("there is an account with the address \(email) already")
        }
        return user
    }
}
