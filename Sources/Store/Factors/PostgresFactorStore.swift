import Bytes
import Core

/// Second factors and recovery codes in PostgreSQL.
final class PostgresFactorStore: FactorStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func factors(of user: UserID) async throws(StoreError) -> SecondFactors {
        let found = try await pool.run(.system, FactorStatements.factors([.id(user)])).first { row throws(StoreError) in
            SecondFactors(
                totpSince: try row.optional(),
                passkeys: try row.value(),
                recoveryCodes: try row.value()
            )
        }
        return found ?? SecondFactors(totpSince: nil, passkeys: 0, recoveryCodes: 0)
    }

    func beginTOTP(_ user: UserID, sealed: [UInt8], now: Timestamp) async throws(StoreError) -> Bool {
        let place = TOTPFactor.place(of: user).description
        let call = FactorStatements.begin([.id(user), .text(place), .bytes(sealed), .time(now)])
        return try await pool.run(.system, call).first { row throws(StoreError) in try row.value() } ?? false
    }

    func attemptCode(of user: UserID, now: Timestamp) async throws(StoreError) -> CodeAttempt {
        let call = FactorStatements.attempt([
            .id(user), .time(now), .integer(FactorBackoff.free), .bigint(FactorBackoff.longest.wholeMilliseconds),
        ])
        let attempt = try await pool.run(.system, call).first { row throws(StoreError) -> CodeAttempt in
            let (wait, failures): (Int64, Int) = (try row.value(), try row.value())
            let place: String? = try row.optional()
            let sealed: [UInt8]? = try row.optional()
            guard wait == 0, let place = place.flatMap({ SecretPlace($0) }), let sealed else {
                return .heldUp(.milliseconds(max(wait, 1)))
            }
            let factor = TOTPFactor(
                secret: StoredSecret(place: place, sealed: sealed),
                begunAt: try row.value(),
                isConfirmed: try row.value(),
                lastStep: try row.optional()
            )
            return .open(factor, failures: failures)
        }
        return attempt ?? .none
    }

    func confirmTOTP(
        _ user: UserID,
        step: Int64,
        begunAt: Timestamp,
        recoveryHashes: [[UInt8]],
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        let values: [PostgresValue] = [.id(user), .bigint(step), .time(begunAt), .hashes(recoveryHashes), .id(kept)]
        let call = FactorStatements.confirm(values + notice.values + AuditStatements.values([audit]))
        return try await pool.run(.system, call).endedSignIns()
    }

    func acceptCode(of user: UserID, step: Int64) async throws(StoreError) -> Bool {
        try await pool.run(.system, FactorStatements.accept([.id(user), .bigint(step)])).count > 0
    }

    func removeTOTP(
        _ user: UserID,
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        let values: [PostgresValue] = [.id(user), .id(kept)] + notice.values + AuditStatements.values([audit])
        return try await pool.run(.system, FactorStatements.remove(values)).endedSignIns()
    }

    func useRecoveryCode(
        of user: UserID,
        hash: [UInt8],
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> Int? {
        let values: [PostgresValue] = [.id(user), .bytes(hash)] + notice.values + AuditStatements.values([audit])
        return try await pool.run(.system, FactorStatements.useRecoveryCode(values)).first { row throws(StoreError) in
            try row.value()
        }
    }

    func replaceRecoveryCodes(
        of user: UserID,
        hashes: [[UInt8]],
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [.id(user), .hashes(hashes)] + AuditStatements.values([audit])
        return try await pool.run(.system, FactorStatements.replaceRecoveryCodes(values)).count > 0
    }

    func resetFactors(of user: UserID, notice: Notice, audit: AuditDraft) async throws(StoreError) -> [SignInID]? {
        let values: [PostgresValue] = [.id(user), .word(notice.kind), .time(notice.createdAt)]
        let call = FactorStatements.reset(values + AuditStatements.values([audit]))
        return try await pool.run(.system, call).endedSignIns()
    }

    func refuse(of user: UserID, notice: Notice?, audit: AuditDraft) async throws(StoreError) {
        var calls: [PostgresCall] = []
        if let notice {
            calls.append(
                FactorStatements.notify([
                    .id(user), .word(notice.kind), .id(notice.signIn), .text(notice.address), .text(notice.userAgent),
                    .time(notice.createdAt),
                ])
            )
        }
        _ = try await pool.run(PostgresGroup(.system, calls + [AuditStatements.append([audit])]))
    }

    func setFactorPolicy(
        _ team: TeamID,
        isRequired: Bool,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> FactorPolicyVerdict {
        let values: [PostgresValue] = [.id(team), .boolean(isRequired)] + AuditStatements.values([audit])
        return try await pool.run(scope, FactorStatements.setPolicy(values)).first { row throws(StoreError) in
            try row.word()
        } ?? .unknown
    }

    func holdsBack(_ user: UserID, from object: GuardedObject) async throws(StoreError) -> Bool {
        var (team, project, job): (PostgresValue, PostgresValue, PostgresValue) = (.null, .null, .null)
        switch object {
        case .team(let id): team = .id(id)
        case .project(let id): project = .id(id)
        case .job(let id): job = .id(id)
        }
        return try await pool.run(.system, FactorStatements.holdsBack([.id(user), team, project, job])).count > 0
    }
}

extension Notice {
    /// Kind, address, client and time, as the acts on factors take them.
    fileprivate var values: [PostgresValue] { [.word(kind), .text(address), .text(userAgent), .time(createdAt)] }
}

extension PostgresValue {
    fileprivate static func hashes(_ hashes: [[UInt8]]) -> PostgresValue {
        .array(.bytes, hashes.map { .bytes($0) })
    }
}

extension PostgresResult {
    /// What an act on factors ended: nil when it did nothing, which it says by giving no row.
    func endedSignIns() throws(StoreError) -> [SignInID]? {
        let rows = try rows { row throws(StoreError) in try row.optional(SignInID.self) }
        return rows.isEmpty ? nil : rows.compactMap(\.self)
    }
}
