import Bytes
import Core

/// Identities at providers, and sign-ins by them, in PostgreSQL.
final class PostgresIdentityStore: IdentityStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func begin(_ signIn: ProviderSignIn, stateHash: [UInt8]) async throws(StoreError) {
        let values: [PostgresValue] = [
            .bytes(stateHash), .id(signIn.provider), .bytes(signIn.salt), .text(signIn.challenge),
            .text(signIn.redirect), .text(signIn.clientState), .boolean(signIn.wantsFresh), .id(signIn.links?.user),
            .id(signIn.links?.signIn), .time(signIn.startedAt), .time(signIn.expiresAt),
        ]
        _ = try await pool.run(.system, IdentityStatements.begin(values))
    }

    func takeSignIn(stateHash: [UInt8], now: Timestamp) async throws(StoreError) -> ProviderSignIn? {
        let call = IdentityStatements.take([.bytes(stateHash), .time(now)])
        return try await pool.run(.system, call).first { row throws(StoreError) in try ProviderSignIn(&row) }
    }

    func user(issuer: String, subject: String, now: Timestamp) async throws(StoreError) -> User? {
        let call = IdentityStatements.user([.text(issuer), .text(subject), .time(now)])
        return try await pool.run(.system, call).first { row throws(StoreError) in try User(&row) }
    }

    func identities(of user: UserID) async throws(StoreError) -> [UserIdentity] {
        try await pool.run(.system, IdentityStatements.list([.id(user)])).rows { row throws(StoreError) in
            try UserIdentity(&row)
        }
    }

    func link(_ identity: UserIdentity, audit: AuditDraft) async throws(StoreError) {
        let group = PostgresGroup(.system, [identity.insertion, AuditStatements.append([audit])])
        _ = try await pool.run(group)
    }

    func unlink(_ identity: IdentityID, of user: UserID, audit: AuditDraft) async throws(StoreError) -> Bool {
        let values = [.id(identity), .id(user)] + AuditStatements.values([audit])
        return try await pool.run(.system, IdentityStatements.delete(values)).count > 0
    }

    func createUser(
        _ user: User,
        passwordHash: String,
        team: Team,
        identity: UserIdentity,
        audit: [AuditDraft]
    ) async throws(StoreError) {
        let account = PostgresAccountStore.insertion(of: user, passwordHash: passwordHash, team: team)
        let calls = [IdentityStatements.withoutPassword([.id(user.id)]), identity.insertion]
        let group = PostgresGroup(.system, account + calls + [AuditStatements.append(audit)])
        _ = try await pool.run(group)
    }

    func issue(_ grant: ProviderGrant, codeHash: [UInt8]) async throws(StoreError) {
        var values: [PostgresValue] = [
            .bytes(codeHash), .id(grant.provider), .id(grant.user), .text(grant.challenge), .text(grant.redirect),
            .time(grant.expiresAt),
        ]
        switch grant.purpose {
        case .signIn(let time): values += [.time(time), .null, .null, .null, .null]
        case .link(let signIn, let issuer, let subject, let email):
            values += [.null, .id(signIn), .text(issuer), .text(subject), .text(email)]
        }
        _ = try await pool.run(.system, IdentityStatements.issue(values))
    }

    func grant(codeHash: [UInt8]) async throws(StoreError) -> ProviderGrant? {
        try await pool.run(.system, IdentityStatements.grant([.bytes(codeHash)])).first { row throws(StoreError) in
            try ProviderGrant(&row)
        }
    }

    func redeem(codeHash: [UInt8], now: Timestamp) async throws(StoreError) -> Bool {
        try await pool.run(.system, IdentityStatements.redeem([.bytes(codeHash), .time(now)])).affected > 0
    }

    func bind(codeHash: [UInt8], to signIn: SignInID) async throws(StoreError) -> Bool {
        try await pool.run(.system, IdentityStatements.bind([.bytes(codeHash), .id(signIn)])).first {
            row throws(StoreError) in try row.value(Bool.self)
        } == false
    }

    func noteReuse(codeHash: [UInt8]) async throws(StoreError) -> SignInID? {
        try await pool.run(.system, IdentityStatements.noteReuse([.bytes(codeHash)])).first {
            row throws(StoreError) in try row.optional(SignInID.self)
        } ?? nil
    }

    func expire(now: Timestamp, limit: Int) async throws(StoreError) {
        _ = try await pool.run(.system, IdentityStatements.expire([.time(now), .integer(limit)]))
    }
}

extension UserIdentity {
    /// Inserts it.
    fileprivate var insertion: PostgresCall {
        IdentityStatements.insert([
            .id(id), .id(userID), .text(issuer), .text(subject), .text(email), .time(linkedAt), .time(lastUsedAt),
        ])
    }
}
