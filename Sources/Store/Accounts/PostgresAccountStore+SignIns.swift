import Bytes
import Core

extension PostgresAccountStore {
    func traits(of user: UserID) async throws(StoreError) -> Set<SignInTrait> {
        let found = try await pool.run(.system, SignInStatements.traits([.id(user)])).rows { row throws(StoreError) in
            SignInTrait(try row.word(), try row.value())
        }
        return Set(found)
    }

    func createSignIn(
        _ signIn: SignIn,
        credential: SignInCredential,
        grant: RedeemedGrant?,
        passwordGeneration: Int?,
        traits: Set<SignInTrait>,
        notice: Notice?,
        audit: [AuditDraft]
    ) async throws(StoreError) {
        let noted = Array(traits)
        let redemption = SignInRedemption(grant, signIn)
        let opening: PostgresCall =
            switch credential {
            case .refresh(let hash): SignInStatements.insertFirstToken([.bytes(hash), .id(signIn.id)])
            case .session(let hash): SignInStatements.insertSession([.bytes(hash), .id(signIn.id)])
            }
        var group = PostgresGroup(
            .system,
            redemption.before + [
                SignInStatements.insert([
                    .id(signIn.id), .id(signIn.userID), .text(signIn.deviceName), .text(signIn.address),
                    .text(signIn.userAgent), .time(signIn.createdAt), .time(signIn.lastUsedAt),
                    .time(signIn.expiresAt), .time(signIn.revokedAt), .time(signIn.authenticatedAt),
                    .text(signIn.clientID), .integer(passwordGeneration), redemption.deviceHash,
                    redemption.codeHash, redemption.scopes,
                ]),
                opening,
                SignInStatements.noteTraits([
                    .id(signIn.userID), .array(.text, noted.map { .text($0.kind.rawValue) }),
                    .array(.text, noted.map { .text($0.value) }), .time(signIn.createdAt),
                ]),
            ]
        )
        group.calls += redemption.after
        if let notice {
            group.calls.append(
                SignInStatements.insertNotice([
                    .id(signIn.userID), .text(notice.kind.rawValue), .time(notice.createdAt), .id(notice.signIn),
                    .text(notice.deviceName), .text(notice.address), .text(notice.userAgent),
                ])
            )
        }
        if !audit.isEmpty { group.calls.append(AuditStatements.append(audit)) }
        _ = try await pool.run(group)
    }

    func signIn(_ id: SignInID) async throws(StoreError) -> SignIn? {
        try await pool.run(.system, SignInStatements.select([.id(id)])).first { row throws(StoreError) in
            try SignIn(&row)
        }
    }

    func signIn(refreshHash: [UInt8]) async throws(StoreError) -> SignIn? {
        try await pool.run(.system, SignInStatements.selectFamily([.bytes(refreshHash)])).first {
            row throws(StoreError) in try SignIn(&row)
        }
    }

    func signIn(sessionHash: [UInt8], now: Timestamp) async throws(StoreError) -> (signIn: SignIn, user: User)? {
        // A time of use that a crash takes back is no loss.
        let call = SignInStatements.useSession([.bytes(sessionHash), .time(now)])
        let group = PostgresGroup(.system, [call], isDurable: false)
        return try await pool.run(group).at(0).first { row throws(StoreError) in
            (signIn: try SignIn(&row), user: try User(&row))
        }
    }

    func confirm(_ signIn: SignInID, now: Timestamp, audit: AuditDraft) async throws(StoreError) {
        let values: [PostgresValue] = [.id(signIn), .time(now)]
        _ = try await pool.run(.system, SignInStatements.confirm(values + AuditStatements.values([audit])))
    }

    func refresh(
        presented hash: [UInt8],
        successorHash: [UInt8],
        sealedSuccessor: [UInt8],
        client: String,
        address: String,
        userAgent: String,
        now: Timestamp,
        window: Duration,
        audit: AuditDraft
    ) async throws(StoreError) -> RefreshOutcome {
        let values: [PostgresValue] = [
            .bytes(hash), .bytes(successorHash), .bytes(sealedSuccessor), .time(now),
            .bigint(window.wholeMilliseconds), .text(client), .text(address), .text(userAgent),
        ]
        // The second statement reads the sign-in as the first one left it.
        let group = PostgresGroup(
            .system,
            [
                SignInStatements.rotate(values + AuditStatements.values([audit])),
                SignInStatements.selectFamily([.bytes(hash)]),
            ]
        )
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
        let group = PostgresGroup(.system, [SignInStatements.use([.id(signIn), .time(now)])], isDurable: false)
        return try await pool.run(group).at(0).count > 0
    }

    func signIns(
        of user: UserID,
        before: SignInID?,
        limit: Int,
        now: Timestamp
    ) async throws(StoreError) -> Page<SignIn> {
        let values: [PostgresValue] = [.id(user), .id(before ?? .highest), .time(now), .integer(limit + 1)]
        let found = try await pool.run(.system, SignInStatements.ofUser(values)).rows { row throws(StoreError) in
            try SignIn(&row)
        }
        return Page(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    func revoke(_ signIn: SignInID, now: Timestamp, audit: AuditDraft) async throws(StoreError) {
        _ = try await end(signIn, nil, now, audit)
    }

    func revoke(
        _ signIn: SignInID,
        of user: UserID,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        try await end(signIn, user, now, audit)
    }

    func revokeAll(
        of user: UserID,
        except kept: SignInID?,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID] {
        let values: [PostgresValue] = [.id(user), .id(kept), .time(now)] + AuditStatements.values([audit])
        return try await pool.run(.system, SignInStatements.revokeAll(values)).rows { row throws(StoreError) in
            try row.value()
        }
    }

    func notices(of user: UserID, limit: Int) async throws(StoreError) -> [Notice] {
        let values: [PostgresValue] = [.id(user), .integer(limit)]
        return try await pool.run(.system, SignInStatements.notices(values)).rows { row throws(StoreError) in
            try Notice(&row)
        }
    }

    /// Ends a sign-in with its tickets.
    private func end(
        _ signIn: SignInID,
        _ user: UserID?,
        _ now: Timestamp,
        _ audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [.id(signIn), .id(user), .time(now)] + AuditStatements.values([audit])
        return try await pool.run(.system, SignInStatements.revoke(values)).count > 0
    }
}
