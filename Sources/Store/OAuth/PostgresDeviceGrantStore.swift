import Bytes
import Core

/// Machines that wait for their person, in PostgreSQL.
final class PostgresDeviceGrantStore: DeviceGrantStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func createDeviceGrant(
        _ grant: DeviceGrant,
        deviceHash: [UInt8],
        userCodeHash: [UInt8]
    ) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [
            .bytes(deviceHash), .bytes(userCodeHash), .text(grant.clientID), .text(grant.deviceName),
            .text(grant.address), .text(grant.userAgent), .time(grant.createdAt), .time(grant.expiresAt),
            .bigint(DeviceGrantLimits.interval.wholeMilliseconds), .integer(DeviceGrantLimits.waiting),
        ]
        return try await pool.run(.system, DeviceGrantStatements.insert(values)).count > 0
    }

    func deviceGrant(userCodeHash: [UInt8], now: Timestamp) async throws(StoreError) -> DeviceGrant? {
        try await pool.run(.system, DeviceGrantStatements.select([.bytes(userCodeHash), .time(now)])).first {
            row throws(StoreError) in try DeviceGrant(&row)
        }
    }

    func decide(
        userCodeHash: [UInt8],
        by user: UserID,
        approvedAs authenticatedAt: Timestamp?,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [.bytes(userCodeHash), .id(user), .time(authenticatedAt), .time(now)]
        return try await pool.run(.system, DeviceGrantStatements.decide(values + AuditStatements.values([audit])))
            .count > 0
    }

    func pollDevice(hash: [UInt8], client: String, now: Timestamp) async throws(StoreError) -> DevicePoll {
        let values: [PostgresValue] = [
            .bytes(hash), .text(client), .time(now), .bigint(DeviceGrantLimits.slowDown.wholeMilliseconds),
            .bigint(DeviceGrantLimits.leeway.wholeMilliseconds),
        ]
        let found = try await pool.run(.system, DeviceGrantStatements.poll(values)).first { row throws(StoreError) in
            (
                verdict: try row.value(String.self), person: try row.optional(UserID.self),
                named: try row.value(String.self), proved: try row.optional(Timestamp.self)
            )
        }
        switch (found?.verdict, found) {
        case ("pending", _): return .pending
        case ("slow_down", _): return .slowDown
        case ("refused", _): return .refused
        case ("expired", _): return .expired
        case ("approved", let found?):
            guard let person = found.person, let proved = found.proved else { return .unknown }
            return .approved(person, deviceName: found.named, authenticatedAt: proved)
        default: return .unknown
        }
    }
}
