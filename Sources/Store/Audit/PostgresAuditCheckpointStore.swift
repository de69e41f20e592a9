import Bytes
import Core

/// The audit log's checkpoints and anchors in PostgreSQL.
final class PostgresAuditCheckpointStore: AuditCheckpointStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func due(
        entries: Int,
        signedBefore: Timestamp,
        after chain: AuditChain?,
        limit: Int
    ) async throws(StoreError) -> [AuditChain] {
        let values: [PostgresValue] = [
            .id(chain?.uuid), .bigint(Int64(entries)), .time(signedBefore), .integer(limit),
        ]
        return try await chains(Statements.due(values))
    }

    func checkpoints(
        _ chain: AuditChain,
        above size: Int64,
        limit: Int
    ) async throws(StoreError) -> [StoredAuditCheckpoint] {
        try await read(Statements.above([.id(chain.uuid), .bigint(size), .integer(limit)]))
    }

    func lastCheckpoint(_ chain: AuditChain) async throws(StoreError) -> StoredAuditCheckpoint? {
        try await read(Statements.last([.id(chain.uuid)])).first
    }

    func save(_ checkpoint: StoredAuditCheckpoint) async throws(StoreError) {
        let values: [PostgresValue] = [
            .id(checkpoint.chain.uuid), .bigint(checkpoint.position.seq),
            .bigint(checkpoint.position.recordedAt.milliseconds), .bytes(checkpoint.hash), .bytes(checkpoint.frontier),
            .text(checkpoint.note), .time(checkpoint.signedAt),
        ]
        _ = try await pool.run(.system, Statements.insert(values))
    }

    func anchor(_ chain: AuditChain) async throws(StoreError) -> AuditAnchor? {
        try await pool.run(.system, Statements.anchor([.id(chain.uuid)])).first { row throws(StoreError) in
            AuditAnchor(
                chain: chain,
                position: try AuditPosition(&row),
                hash: try row.value(),
                frontier: try row.value()
            )
        }
    }

    func chains(after chain: AuditChain?, limit: Int) async throws(StoreError) -> [AuditChain] {
        try await chains(Statements.chains([.id(chain?.uuid), .integer(limit)]))
    }

    func openNextMonth() async throws(StoreError) {
        _ = try await pool.run(.system, Statements.openAhead())
    }

    private func chains(_ call: PostgresCall) async throws(StoreError) -> [AuditChain] {
        try await pool.run(.system, call).rows { row throws(StoreError) in AuditChain(uuid: try row.value()) }
    }

    private func read(_ call: PostgresCall) async throws(StoreError) -> [StoredAuditCheckpoint] {
        try await pool.run(.system, call).rows { row throws(StoreError) in
            StoredAuditCheckpoint(
                chain: AuditChain(uuid: try row.value()),
                position: try AuditPosition(&row),
                hash: try row.value(),
                frontier: try row.value(),
                note: try row.value(),
                signedAt: try row.value()
            )
        }
    }

    private enum Statements {
        private static let columns = "c.chain, c.recorded_ms, c.size, c.hash, c.frontier, c.note, c.signed_at"

        static let due = PostgresStatement(
            "audit.due",
            """
            select h.chain from audit_heads h
            left join lateral (
                select c.size, c.signed_at from audit_checkpoints c
                where c.chain = h.chain order by c.size desc limit 1
            ) c on true
            where ($1::uuid is null or h.chain > $1::uuid)
                and (
                    h.seq > coalesce(c.size, 0)
                    and (c.size is null or h.seq - c.size >= $2::bigint or c.signed_at <= $3::timestamptz)
                    or h.seq < c.size
                )
            order by h.chain limit $4::integer
            """
        )
        static let above = PostgresStatement(
            "audit.checkpoints",
            """
            select \(columns) from audit_checkpoints c
            where c.chain = $1::uuid and c.size > $2::bigint
            order by c.size limit $3::integer
            """
        )
        static let last = PostgresStatement(
            "audit.last_checkpoint",
            "select \(columns) from audit_checkpoints c where c.chain = $1::uuid order by c.size desc limit 1"
        )
        static let insert = PostgresStatement(
            "audit.checkpoint",
            """
            insert into audit_checkpoints (chain, size, recorded_ms, hash, frontier, note, signed_at)
            values ($1::uuid, $2::bigint, $3::bigint, $4::bytea, $5::bytea, $6::text, $7::timestamptz)
            on conflict (chain, size) do nothing
            """
        )
        static let anchor = PostgresStatement(
            "audit.anchor",
            "select a.recorded_ms, a.seq, a.hash, a.frontier from audit_anchors a where a.chain = $1::uuid"
        )
        /// Chains of entries and of checkpoints, of which each has many, are found by skipping along the index.
        static let chains = PostgresStatement(
            "audit.chains",
            """
            with recursive written (chain) as (
                (
                    select e.chain from audit_entries e where $1::uuid is null or e.chain > $1::uuid
                    order by e.chain limit 1
                )
                union all
                select (select e.chain from audit_entries e where e.chain > w.chain order by e.chain limit 1)
                from written w where w.chain is not null
            ), signed (chain) as (
                (
                    select c.chain from audit_checkpoints c where $1::uuid is null or c.chain > $1::uuid
                    order by c.chain limit 1
                )
                union all
                select (select c.chain from audit_checkpoints c where c.chain > s.chain order by c.chain limit 1)
                from signed s where s.chain is not null
            )
            select f.chain
            from (
                (select w.chain from written w where w.chain is not null limit $2::integer)
                union
                (
                    select h.chain from audit_heads h where $1::uuid is null or h.chain > $1::uuid
                    order by h.chain limit $2::integer
                )
                union
                (
                    select a.chain from audit_anchors a where $1::uuid is null or a.chain > $1::uuid
                    order by a.chain limit $2::integer
                )
                union
                (select s.chain from signed s where s.chain is not null limit $2::integer)
            ) f
            order by f.chain limit $2::integer
            """
        )
        static let openAhead = PostgresStatement("audit.open_ahead", "select errand_audit_open_ahead()")
    }
}
