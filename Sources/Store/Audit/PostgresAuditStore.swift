import Bytes
import Core
import Platform

/// The audit log in PostgreSQL.
final class PostgresAuditStore: AuditStore {
    /// Entries that one transaction records at most: a few milliseconds of the server's time.
    private static let batchEntries = 512
    /// Entries that one filtered page looks at: some tens of milliseconds, whatever it looks for.
    private static let window = 10_000

    private let pool: PostgresPool
    private let records: Batcher<[AuditDraft], Void>

    init(_ pool: PostgresPool, loop: EventLoop) {
        self.pool = pool
        records = Batcher(
            loop: loop,
            capacity: Self.batchEntries,
            weigh: \.count,
            perform: { requests in
                do throws(StoreError) {
                    _ = try await pool.run(.system, AuditStatements.append(requests.flatMap(\.self)))
                    return .success(requests.map { _ in () })
                } catch {
                    return .failure(error)
                }
            }
        )
    }

    func record(_ drafts: [AuditDraft]) async throws(StoreError) {
        guard !drafts.isEmpty else { return }
        try await records.submit(drafts)
    }

    func entries(
        of chain: AuditChain,
        matching filter: AuditFilter,
        before position: AuditPosition,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> AuditPage {
        let before = min(position, filter.to.map { AuditPosition(recordedAt: $0, seq: 0) } ?? .end)
        let window = filter.looksAtColumns ? Self.window : limit + 1
        let bounds: [PostgresValue] = [
            .id(chain.uuid), .bigint(before.recordedAt.milliseconds), .bigint(before.seq),
            .bigint(filter.from?.milliseconds ?? 0), .integer(window),
        ]
        let values = bounds + [.text(filter.actor), .text(filter.action), .text(filter.target), .integer(limit + 1)]
        let answers = try await pool.run(
            PostgresGroup(scope, [AuditListing.page(values), AuditListing.windowEnd(bounds)])
        )
        let found = try answers.at(0).rows { row throws(StoreError) in try StoredAuditEntry(&row) }
        if found.count > limit {
            let items = Array(found.prefix(limit))
            return AuditPage(items: items, next: items.last?.position)
        }
        let end = try answers.at(1).first { row throws(StoreError) in try AuditPosition(&row) }
        return AuditPage(items: found, next: end)
    }

    func stored(
        _ chain: AuditChain,
        after position: AuditPosition,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> [StoredAuditEntry] {
        let values: [PostgresValue] = [
            .id(chain.uuid), .bigint(position.recordedAt.milliseconds), .bigint(position.seq), .integer(limit),
        ]
        return try await pool.run(scope, AuditListing.stored(values)).rows { row throws(StoreError) in
            try StoredAuditEntry(&row)
        }
    }

    func heads(after chain: AuditChain?, limit: Int) async throws(StoreError) -> [AuditHead] {
        let values: [PostgresValue] = [.id(chain?.uuid), .integer(limit)]
        return try await pool.run(.system, AuditListing.heads(values)).rows { row throws(StoreError) in
            try AuditHead(&row)
        }
    }

    func head(of chain: AuditChain) async throws(StoreError) -> AuditHead? {
        try await pool.run(.system, AuditListing.head([.id(chain.uuid)])).first { row throws(StoreError) in
            try AuditHead(&row)
        }
    }
}

/// The statements that read the audit log.
private enum AuditListing {
    static let page = PostgresStatement(
        "audit.page",
        """
        select \(StoredAuditEntry.columns)
        from (
            select \(StoredAuditEntry.columns) from audit_entries e
            where e.chain = $1::uuid and (e.recorded_ms, e.seq) < ($2::bigint, $3::bigint)
                and e.recorded_ms >= $4::bigint
            order by e.recorded_ms desc, e.seq desc limit $5::integer
        ) e
        where ($6::text is null or e.actor = $6::text) and ($7::text is null or e.action = $7::text)
            and ($8::text is null or e.target = $8::text)
        order by e.recorded_ms desc, e.seq desc limit $9::integer
        """
    )
    /// The last entry that a full window holds; none when the window reached the chain's beginning.
    static let windowEnd = PostgresStatement(
        "audit.window_end",
        """
        select e.recorded_ms, e.seq from audit_entries e
        where e.chain = $1::uuid and (e.recorded_ms, e.seq) < ($2::bigint, $3::bigint)
            and e.recorded_ms >= $4::bigint
        order by e.recorded_ms desc, e.seq desc offset $5::integer - 1 limit 1
        """
    )
    static let stored = PostgresStatement(
        "audit.stored",
        """
        select \(StoredAuditEntry.columns) from audit_entries e
        where e.chain = $1::uuid and (e.recorded_ms, e.seq) > ($2::bigint, $3::bigint)
        order by e.recorded_ms, e.seq limit $4::integer
        """
    )
    static let heads = PostgresStatement(
        "audit.heads",
        """
        select h.chain, h.recorded_ms, h.seq, h.hash from audit_heads h
        where $1::uuid is null or h.chain > $1::uuid
        order by h.chain limit $2::integer
        """
    )
    static let head = PostgresStatement(
        "audit.head",
        "select h.chain, h.recorded_ms, h.seq, h.hash from audit_heads h where h.chain = $1::uuid"
    )
}

extension StoredAuditEntry {
    /// The columns that `init(_:)` reads.
    static let columns = """
        e.chain, e.recorded_ms, e.seq, e.prev_hash, e.hash, e.canonical, e.personal, e.actor, e.action, e.target
        """

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            chain: AuditChain(uuid: try row.value()),
            position: try AuditPosition(&row),
            previousHash: try row.value(),
            hash: try row.value(),
            canonical: try row.value(),
            personal: try row.optional(),
            actor: try row.value(),
            action: try row.value(),
            target: try row.optional()
        )
    }
}

extension AuditHead {
    /// Reads chain, moment, number and hash.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            chain: AuditChain(uuid: try row.value()),
            position: try AuditPosition(&row),
            hash: try row.value()
        )
    }
}

extension AuditPosition {
    /// Reads the moment and the number.
    init(_ row: inout PostgresRow) throws(StoreError) {
        let milliseconds: Int64 = try row.value()
        self.init(recordedAt: Timestamp(milliseconds: milliseconds), seq: try row.value())
    }
}
