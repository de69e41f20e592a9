import Bytes
import Core

/// Accounts and sign-ins in PostgreSQL.
final class PostgresAccountStore: AccountStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func createUser(
        _ user: User,
        passwordHash: String,
        team: Team,
        audit: [AuditDraft]
    ) async throws(StoreError) {
        let group = PostgresGroup(
            .system,
            [
                Self.insertUser([
                    .id(user.id), .text(user.email), .text(user.name), .text(passwordHash),
                    .boolean(user.isAdministrator), .time(user.isDisabled ? user.createdAt : nil),
                    .time(user.createdAt),
                ]),
                TeamStatements.insertTeam([.id(team.id), .text(team.name), .time(team.createdAt)]),
                TeamStatements.insertMember([.id(user.id), .id(team.id), .word(Role.owner), .time(team.createdAt)]),
                AuditStatements.append(audit),
            ]
        )
        _ = try await pool.run(group)
    }

    func credentials(email: String) async throws(StoreError) -> UserCredentials? {
        try await pool.run(.system, Self.selectCredentials([.text(email)])).first { row throws(StoreError) in
            let user = try User(&row)
            return UserCredentials(user: user, passwordHash: try row.value())
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

    func setPasswordHash(_ id: UserID, _ passwordHash: String) async throws(StoreError) {
        let changed = try await pool.run(.system, Self.updatePassword([.id(id), .text(passwordHash)])).affected
        if changed == 0 { throw .notFound }
    }

    func createSignIn(_ signIn: SignIn, refreshHash: [UInt8]) async throws(StoreError) {
        let group = PostgresGroup(
            .system,
            [
                Self.insertSignIn([
                    .id(signIn.id), .id(signIn.userID), .text(signIn.deviceName), .text(signIn.address),
                    .text(signIn.userAgent), .time(signIn.createdAt), .time(signIn.lastUsedAt),
                    .time(signIn.expiresAt), .time(signIn.revokedAt),
                ]),
                Self.insertFirstToken([.bytes(refreshHash), .id(signIn.id)]),
            ]
        )
        _ = try await pool.run(group)
    }

    func refresh(
        presented hash: [UInt8],
        successorHash: [UInt8],
        sealedSuccessor: [UInt8],
        now: Timestamp,
        window: Duration
    ) async throws(StoreError) -> RefreshOutcome {
        let values: [PostgresValue] = [
            .bytes(hash), .bytes(successorHash), .bytes(sealedSuccessor), .time(now),
            .bigint(window.wholeMilliseconds),
        ]
        // The second statement reads the sign-in as the first one left it.
        let group = PostgresGroup(.system, [Self.rotate(values), Self.selectFamily([.bytes(hash)])])
        let answers = try await pool.run(group)
        let verdict = try answers.at(0).first { row throws(StoreError) in
            (outcome: try row.value(String.self), sealed: try row.optional([UInt8].self))
        }
        let family = try answers.at(1).first { row throws(StoreError) in try SignIn(&row) }
        guard let verdict, let family else { return .refused }
        switch (verdict.outcome, verdict.sealed) {
        case ("rotated", _): return .rotated(family)
        case ("replayed", let sealed?): return .replayed(family, sealedSuccessor: sealed)
        case ("reused", _): return .reused(family)
        default: return .refused
        }
    }

    func isActive(_ signIn: SignInID, now: Timestamp) async throws(StoreError) -> Bool {
        // A time of use that a crash takes back is no loss.
        let group = PostgresGroup(.system, [Self.useSignIn([.id(signIn), .time(now)])], isDurable: false)
        return try await pool.run(group).at(0).count > 0
    }

    func signIns(
        of user: UserID,
        before: SignInID?,
        limit: Int,
        now: Timestamp
    ) async throws(StoreError) -> Page<SignIn> {
        let values: [PostgresValue] = [.id(user), .id(before ?? .highest), .time(now), .integer(limit + 1)]
        let found = try await pool.run(.system, Self.selectSignIns(values)).rows { row throws(StoreError) in
            try SignIn(&row)
        }
        return Page(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    func revoke(_ signIn: SignInID, now: Timestamp) async throws(StoreError) {
        _ = try await pool.run(.system, Self.revokeSignIn([.id(signIn), .time(now)]))
    }

    func revoke(_ signIn: SignInID, of user: UserID, now: Timestamp) async throws(StoreError) -> Bool {
        try await pool.run(.system, Self.revokeOwnSignIn([.id(signIn), .id(user), .time(now)])).count > 0
    }

    func revokeAll(of user: UserID, except kept: SignInID?, now: Timestamp) async throws(StoreError) -> [SignInID] {
        try await pool.run(.system, Self.revokeSignIns([.id(user), .id(kept), .time(now)])).rows {
            row throws(StoreError) in try row.value()
        }
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
