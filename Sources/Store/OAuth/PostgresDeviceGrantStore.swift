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
            .integer(DeviceGrantLimits.waitingAtOneAddress),
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
        at signIn: SignInID,
        isApproved: Bool,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [.bytes(userCodeHash), .id(user), .boolean(isApproved), .time(now), .id(signIn)]
        // What ends sign-ins takes the account first: it has ended this one before, or ends the confirmation after.
        let group = PostgresGroup(
            .system,
            [
                DeviceGrantStatements.holdAccount([.id(user)]),
                DeviceGrantStatements.decide(values + AuditStatements.values([audit])),
            ]
        )
        return try await pool.run(group).at(1).count > 0
    }

    func pollDevice(hash: [UInt8], client: String, now: Timestamp) async throws(StoreError) -> DevicePoll {
        let values: [PostgresValue] = [
            .bytes(hash), .text(client), .time(now), .bigint(DeviceGrantLimits.slowDown.wholeMilliseconds),
            .bigint(DeviceGrantLimits.leeway.wholeMilliseconds),
        ]
        let found = try await pool.run(.system, DeviceGrantStatements.poll(values)).first { row throws(StoreError) in
            (
                verdict: try row.value(String.self), person: try row.optional(UserID.self),
                named: try row.value(String.self)
            )
        }
        switch (found?.verdict, found) {
        case ("pending", _): return .pending
        case ("slow_down", _): return .slowDown
        case ("refused", _): return .refused
        case ("expired", _): return .expired
        case ("approved", let found?):
            return found.person.map { .approved($0, deviceName: found.named) } ?? .unknown
        default: return .unknown
        }
    }
}
