import Bytes
import Core

/// Accounts and sign-ins in PostgreSQL.
final class PostgresAccountStore: AccountStore {
    let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func createUser(
        _ user: User,
        passwordHash: String,
        team: Team,
        audit: [AuditDraft]
    ) async throws(StoreError) {
        let account = Self.insertion(of: user, passwordHash: passwordHash, team: team)
        _ = try await pool.run(PostgresGroup(.system, account + [AuditStatements.append(audit)]))
    }

    /// Inserts an account with a team of its own.
    static func insertion(of user: User, passwordHash: String, team: Team) -> [PostgresCall] {
        [
            insertUser([
                .id(user.id), .text(user.email), .text(user.name), .text(passwordHash),
                .boolean(user.isAdministrator), .time(user.isDisabled ? user.createdAt : nil), .time(user.createdAt),
            ]),
            TeamStatements.insertTeam([.id(team.id), .text(team.name), .time(team.createdAt)]),
            TeamStatements.insertMember([.id(user.id), .id(team.id), .word(Role.owner), .time(team.createdAt)]),
        ]
    }

    func credentials(email: String) async throws(StoreError) -> UserCredentials? {
        try await pool.run(.system, Self.selectCredentials([.text(email)])).first { row throws(StoreError) in
            let user = try User(&row)
            return UserCredentials(
                user: user,
                passwordHash: try row.value(),
                passwordGeneration: try row.value()
            )
        }
    }

    func user(_ id: UserID) async throws(StoreError) -> User? {
        try await pool.run(.system, Self.selectUser([.id(id)])).first { row throws(StoreError) in try User(&row) }
    }

    func users() async throws(StoreError) -> [User] {
        try await pool.run(.system, Self.selectUsers()).rows { row throws(StoreError) in try User(&row) }
    }

    func setDisabled(_ id: UserID, _ isDisabled: Bool, audit: AuditDraft) async throws(StoreError) -> Bool {
        let statement = isDisabled ? Self.disable : Self.enable
        return try await pool.run(.system, statement([.id(id)] + AuditStatements.values([audit]))).count > 0
    }

    func createTicket(hash: [UInt8], user: UserID, signIn: SignInID, expiresAt: Timestamp) async throws(StoreError) {
        let values: [PostgresValue] = [.bytes(hash), .id(user), .id(signIn), .time(expiresAt)]
        _ = try await pool.run(.system, Self.insertTicket(values))
    }

    func ticket(hash: [UInt8], now: Timestamp) async throws(StoreError) -> (user: UserID, signIn: SignInID)? {
        try await pool.run(.system, Self.selectTicket([.bytes(hash), .time(now)])).first { row throws(StoreError) in
            (user: try row.value(UserID.self), signIn: try row.value(SignInID.self))
        }
    }

    func redeemTicket(hash: [UInt8], now: Timestamp) async throws(StoreError) -> (user: UserID, signIn: SignInID)? {
        try await pool.run(.system, Self.takeTicket([.bytes(hash), .time(now)])).first { row throws(StoreError) in
            (user: try row.value(UserID.self), signIn: try row.value(SignInID.self))
        }
    }
}

extension Duration {
    /// Whole milliseconds, as intervals are bound here.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflows) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflows ? (seconds < 0 ? .min : .max) : scaled + attoseconds / 1_000_000_000_000_000
    }
}
