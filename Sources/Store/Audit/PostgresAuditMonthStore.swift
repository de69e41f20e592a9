import Bytes
package import Core
package import Platform

/// The months of the audit log in PostgreSQL, over a session of the tables' owner that lasts as long as this.
package final class PostgresAuditMonthStore: AuditMonthStore {
    private let session: PostgresConnection

    private init(_ session: PostgresConnection) {
        self.session = session
    }

    /// Opens a session; the URL must name the owner of the tables, or a superuser.
    package static func open(url: String, on loop: EventLoop) async throws(StoreError) -> PostgresAuditMonthStore {
        let session = try await PostgresConnection.open(ConnectionParameters(url), on: loop)
        // A month of a large log takes its time to go through.
        session.answerLimit = .seconds(3_600)
        do throws(StoreError) {
            try await session.script("set statement_timeout = '1h'", stage: "audit.limits")
        } catch {
            session.close()
            throw error
        }
        return PostgresAuditMonthStore(session)
    }

    /// Ends the session.
    package func close() {
        session.close()
    }

    package func months() async throws(StoreError) -> [AuditMonth] {
        try await run(Statements.months()).rows { row throws(StoreError) in
            let (first, end): (Int64, Int64) = (try row.value(), try row.value())
            return AuditMonth(
                first: Timestamp(milliseconds: first),
                end: Timestamp(milliseconds: end),
                isDropped: try row.value()
            )
        }
    }

    package func ends(
        of month: AuditMonth,
        after chain: AuditChain?,
        limit: Int
    ) async throws(StoreError) -> [AuditHead] {
        let values: [PostgresValue] = [
            .bigint(month.first.milliseconds), .bigint(month.end.milliseconds), .id(chain?.uuid), .integer(limit),
        ]
        return try await run(Statements.ends(values)).rows { row throws(StoreError) in try AuditHead(&row) }
    }

    package func drop(
        _ month: AuditMonth,
        anchors: [AuditAnchor],
        audit: AuditDraft
    ) async throws(StoreError) {
        let values: [PostgresValue] = [
            .bigint(month.first.milliseconds), .ids(anchors.map(\.chain.uuid)),
            .array(.bigint, anchors.map { .bigint($0.position.seq) }),
            .array(.bigint, anchors.map { .bigint($0.position.recordedAt.milliseconds) }),
            .array(.bytes, anchors.map { .bytes($0.hash) }), .array(.bytes, anchors.map { .bytes($0.frontier) }),
        ]
        // The chain's end before the months, in the order of whoever records an act, so that none waits in a circle.
        _ = try await session.run(
            PostgresGroup(
                .system,
                [Statements.impatience(), AuditStatements.append([audit]), Statements.drop(values)]
            )
        )
    }

    private func run(_ call: PostgresCall) async throws(StoreError) -> PostgresResult {
        try await session.run(PostgresGroup(.system, [call])).at(0)
    }

    private enum Statements {
        static let months = PostgresStatement(
            "audit.months",
            "select m.first_ms, m.end_ms, m.dropped_at is not null from audit_months m order by m.first_ms"
        )
        static let ends = PostgresStatement(
            "audit.month_ends",
            """
            select distinct on (e.chain) e.chain, e.recorded_ms, e.seq, e.hash from audit_entries e
            where e.recorded_ms >= $1::bigint and e.recorded_ms < $2::bigint
                and ($3::uuid is null or e.chain > $3::uuid)
            order by e.chain, e.recorded_ms desc, e.seq desc limit $4::integer
            """
        )
        /// Whoever waits for the table holds up everybody who comes after: a reader that takes long goes first.
        static let impatience = PostgresStatement(
            "audit.impatience",
            "select set_config('lock_timeout', '2s', true)"
        )
        static let drop = PostgresStatement(
            "audit.drop",
            """
            select errand_audit_drop(
                $1::bigint, $2::uuid[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[]
            )
            """
        )
    }
}
