import Bytes
import Core

/// Passkeys in PostgreSQL.
final class PostgresPasskeyStore: PasskeyStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func passkeys(of user: UserID) async throws(StoreError) -> [Passkey] {
        try await pool.run(.system, PasskeyStatements.ofUser([.id(user)])).rows { row throws(StoreError) in
            try Passkey(&row)
        }
    }

    func passkey(credentialID: [UInt8]) async throws(StoreError) -> Passkey? {
        try await pool.run(.system, PasskeyStatements.named([.bytes(credentialID)])).first { row throws(StoreError) in
            try Passkey(&row)
        }
    }

    func addPasskey(
        _ passkey: Passkey,
        answering challenge: AnsweredChallenge,
        recoveryHashes: [[UInt8]],
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> PasskeyAddition {
        let values: [PostgresValue] = [
            .id(passkey.user), .id(passkey.id), .bytes(passkey.credentialID), .bytes(passkey.publicKey),
            .text(passkey.name), .array(.text, passkey.transports.map { .text($0) }),
            .bigint(Int64(passkey.signCount)), .boolean(passkey.isBackedUp), .bytes(challenge.hash),
            .time(challenge.expiresAt), .integer(PasskeyLimits.perPerson),
            .array(.bytes, recoveryHashes.map { .bytes($0) }), .id(kept), .word(notice.kind), .text(notice.address),
            .text(notice.userAgent), .time(notice.createdAt),
        ]
        let call = PasskeyStatements.add(values + AuditStatements.values([audit]))
        let rows = try await pool.run(.system, call).rows { row throws(StoreError) in
            (verdict: try row.value(String.self), ended: try row.optional(SignInID.self))
        }
        switch rows.first?.verdict {
        case "added": return .added(tookCodes: false, ended: rows.compactMap(\.ended))
        case "added_with_codes": return .added(tookCodes: true, ended: rows.compactMap(\.ended))
        case "spent": return .spent
        case "full": return .full
        case "taken": return .taken
        default: throw .failed(stage: "passkeys.add: no verdict", sqlState: "08P01")
        }
    }

    func usePasskey(
        _ id: PasskeyID,
        signCount: UInt32,
        isBackedUp: Bool,
        answering challenge: AnsweredChallenge,
        now: Timestamp
    ) async throws(StoreError) -> PasskeyUse {
        let values: [PostgresValue] = [
            .id(id), .bigint(Int64(signCount)), .boolean(isBackedUp), .bytes(challenge.hash),
            .time(challenge.expiresAt), .time(now),
        ]
        return try await pool.run(.system, PasskeyStatements.use(values)).first { row throws(StoreError) in
            try row.word()
        } ?? .unknown
    }

    func removePasskey(
        _ id: PasskeyID,
        of user: UserID,
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        let values: [PostgresValue] = [
            .id(user), .id(id), .id(kept), .word(notice.kind), .text(notice.address), .text(notice.userAgent),
            .time(notice.createdAt),
        ]
        let call = PasskeyStatements.remove(values + AuditStatements.values([audit]))
        return try await pool.run(.system, call).endedSignIns()
    }
}

extension Passkey {
    /// Reads the columns of `PasskeyStatements`.
    fileprivate init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            user: try row.value(),
            credentialID: try row.value(),
            publicKey: try row.value(),
            name: try row.value(),
            transports: try row.value(String.self).split(separator: ",").map(String.init),
            signCount: UInt32(clamping: try row.value(Int64.self)),
            isBackedUp: try row.value(),
            createdAt: try row.value(),
            lastUsedAt: try row.optional()
        )
    }
}
