import Bytes
import Core

/// Failed sign-ins in PostgreSQL; the rule is in the functions that count, which hold `SignInBackOff`'s numbers.
final class PostgresSignInThrottle: SignInThrottle {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func begin(_ attempt: SignInTry) async throws(StoreError) -> SignInLeave {
        let refusal = try await pool.run(.system, Self.begin(Self.values(attempt))).first { row throws(StoreError) in
            (until: try row.optional(Timestamp.self), isFirst: try row.value(Bool.self))
        }
        guard let refusal else { throw .failed(stage: "sign_in.begin: no answer", sqlState: "08P01") }
        return refusal.until.map { .wait(until: $0, isFirst: refusal.isFirst) } ?? .granted
    }

    func end(_ attempt: SignInTry, _ end: SignInEnd) async throws(StoreError) {
        _ = try await pool.run(.system, Self.end(Self.values(attempt) + [.boolean(end == .right)]))
    }

    func prune(now: Timestamp, limit: Int) async throws(StoreError) -> Int {
        let removed = try await pool.run(.system, Self.prune([.time(now), .integer(limit)]))
            .first { row throws(StoreError) in try row.value(Int.self) }
        return removed ?? 0
    }

    private static func values(_ attempt: SignInTry) -> [PostgresValue] {
        [
            .bytes(attempt.account), .bytes(attempt.place), .boolean(attempt.isKnownDevice), .time(attempt.begunAt),
        ]
    }

    private static let begin = PostgresStatement(
        "sign_in.begin",
        "select b.wait_until, b.is_first from errand_login_try($1::bytea, $2::bytea, $3::boolean, $4::timestamptz) b"
    )
    private static let end = PostgresStatement(
        "sign_in.end",
        "select errand_login_end($1::bytea, $2::bytea, $3::boolean, $4::timestamptz, $5::boolean)"
    )
    private static let prune = PostgresStatement(
        "sign_in.prune",
        "select errand_login_prune($1::timestamptz, $2::integer)"
    )
}
