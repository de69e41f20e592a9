import Bytes
import Core

/// Worker machines in PostgreSQL.
final class PostgresWorkerStore: WorkerStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func createWorker(
        _ id: WorkerID,
        name: String,
        enrolmentHash: [UInt8],
        expiresAt: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) {
        let values: [PostgresValue] = [.id(id), .text(name), .bytes(enrolmentHash), .time(expiresAt)]
        _ = try await pool.run(
            PostgresGroup(.system, [WorkerStatements.insert(values), AuditStatements.append([audit])])
        )
    }

    func enrol(
        enrolmentHash: [UInt8],
        credentialHash: [UInt8],
        now: Timestamp,
        audit: (WorkerID) -> AuditDraft
    ) async throws(StoreError) -> WorkerRecord? {
        let invited = try await pool.run(.system, WorkerStatements.byEnrolment([.bytes(enrolmentHash)]))
        guard let id = try invited.first({ row throws(StoreError) in try row.value(WorkerID.self) }) else { return nil }
        let values: [PostgresValue] = [.bytes(enrolmentHash), .bytes(credentialHash)]
        let group = PostgresGroup(
            .system,
            [
                WorkerStatements.enrol(values + [.time(now)] + AuditStatements.values([audit(id)])),
                // What the first has just written, or another call before.
                WorkerStatements.enrolled(values),
            ]
        )
        return try await pool.run(group).at(1).first { row throws(StoreError) in try WorkerRecord(&row) }
    }

    func worker(credentialHash: [UInt8]) async throws(StoreError) -> WorkerRecord? {
        let result = try await pool.run(.system, WorkerStatements.byCredential([.bytes(credentialHash)]))
        return try result.first { row throws(StoreError) in try WorkerRecord(&row) }
    }

    func openSession(
        _ worker: WorkerID,
        resuming epoch: Int64?,
        slots: Int,
        now: Timestamp
    ) async throws(StoreError) -> WorkerLease {
        let values: [PostgresValue] = [
            .id(worker), epoch.map { .bigint($0) } ?? .null, .integer(slots),
            .time(now.adding(LeaseTimes.timeToLive)),
        ]
        let opened = try await pool.run(.system, WorkerStatements.open(values)).first { row throws(StoreError) in
            try row.value(Int64.self)
        }
        guard let opened else { throw .notFound }
        return WorkerLease(worker: worker, epoch: opened)
    }

    func beat(_ lease: WorkerLease, now: Timestamp) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [
            .id(lease.worker), .bigint(lease.epoch), .time(now.adding(LeaseTimes.timeToLive)),
        ]
        // A beat that a crash takes back costs nothing: the next one comes before the lease ends.
        let group = PostgresGroup(.system, [WorkerStatements.beat(values)], isDurable: false)
        return try await pool.run(group).at(0).affected > 0
    }

    func shorten(_ lease: WorkerLease, until: Timestamp) async throws(StoreError) {
        let values: [PostgresValue] = [.id(lease.worker), .bigint(lease.epoch), .time(until)]
        _ = try await pool.run(.system, WorkerStatements.shorten(values))
    }

    func workers() async throws(StoreError) -> [WorkerRecord] {
        try await pool.run(.system, WorkerStatements.list()).rows { row throws(StoreError) in try WorkerRecord(&row) }
    }

    func holdings(of id: WorkerID) async throws(StoreError) -> WorkerHoldings? {
        try await pool.run(.system, WorkerStatements.holdings([.id(id)])).first { row throws(StoreError) in
            WorkerHoldings(
                name: try row.value(),
                projects: try row.value(),
                running: try row.value(),
                waiting: try row.value()
            )
        }
    }

    func settleRevoked(now: Timestamp, limit: Int) async throws(StoreError) -> [JobID] {
        let call = WorkerStatements.settleRevoked([.time(now), .integer(limit)])
        return try await pool.run(.system, call).rows { row throws(StoreError) in try row.value() }
    }

    func revokeWorker(_ id: WorkerID, audit: AuditDraft) async throws(StoreError) -> Bool {
        let values = [.id(id)] + AuditStatements.values([audit])
        return try await pool.run(.system, WorkerStatements.revoke(values)).count > 0
    }
}

extension WorkerRecord {
    /// The columns that `init(_:)` reads.
    static let columns = "w.id, w.name, w.epoch, w.lease_until, w.slots, w.revoked_at is not null, w.created_at"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            name: try row.value(),
            epoch: try row.value(),
            leaseUntil: try row.optional(),
            slots: try row.value(),
            isRevoked: try row.value(),
            createdAt: try row.value()
        )
    }
}

/// The statements on workers.
private enum WorkerStatements {
    static let insert = PostgresStatement(
        "workers.insert",
        """
        insert into workers (id, name, enrolment_hash, enrolment_expires_at)
        values ($1::uuid, $2::text, $3::bytea, $4::timestamptz)
        """
    )
    static let byEnrolment = PostgresStatement(
        "workers.by_enrolment",
        "select w.id from workers w where w.enrolment_hash = $1::bytea or w.enrolled_with = $1::bytea"
    )
    static let enrol = AuditStatements.audited(
        "workers.enrol",
        parameters: 3,
        """
        update workers w
        set credential_hash = $2::bytea, enrolled_with = $1::bytea, enrolment_hash = null, enrolment_expires_at = null
        where w.enrolment_hash = $1::bytea and w.enrolment_expires_at > $3::timestamptz and w.revoked_at is null
        returning \(WorkerRecord.columns)
        """
    )
    static let enrolled = PostgresStatement(
        "workers.enrolled",
        """
        select \(WorkerRecord.columns) from workers w
        where w.enrolled_with = $1::bytea and w.credential_hash = $2::bytea and w.revoked_at is null
        """
    )
    static let byCredential = PostgresStatement(
        "workers.by_credential",
        """
        select \(WorkerRecord.columns) from workers w
        where w.credential_hash = $1::bytea and w.revoked_at is null
        """
    )
    static let open = PostgresStatement(
        "workers.open_session",
        """
        update workers w
        set epoch = case when w.epoch = $2::bigint then w.epoch else w.epoch + 1 end,
            slots = $3::integer, lease_until = $4::timestamptz
        where w.id = $1::uuid and w.revoked_at is null
        returning w.epoch
        """
    )
    static let beat = PostgresStatement(
        "workers.beat",
        """
        update workers w set lease_until = $3::timestamptz
        where w.id = $1::uuid and w.epoch = $2::bigint and w.revoked_at is null
        """
    )
    static let shorten = PostgresStatement(
        "workers.shorten",
        """
        update workers w set lease_until = $3::timestamptz
        where w.id = $1::uuid and w.epoch = $2::bigint and w.lease_until > $3::timestamptz
        """
    )
    static let list = PostgresStatement(
        "workers.list",
        "select \(WorkerRecord.columns) from workers w order by w.created_at, w.id"
    )
    static let holdings = PostgresStatement(
        "workers.holdings",
        """
        select w.name,
            (select count(*) from projects p where p.home_worker = w.id and p.deleted_at is null),
            (select count(*) from jobs j where j.worker_id = w.id and j.state in ('running', 'paused')),
            (
                select count(*) from jobs j join projects p on p.id = j.project_id
                where p.home_worker = w.id and j.workspace = 'project' and j.state in ('delayed', 'queued', 'blocked')
            )
        from workers w where w.id = $1::uuid
        """
    )
    static let settleRevoked = PostgresStatement(
        "workers.settle_revoked",
        "select r.job from errand_rehome($1::timestamptz, $2::integer) r"
    )
    /// Only the first time is an act.
    static let revoke = AuditStatements.audited(
        "workers.revoke",
        parameters: 1,
        when: "act.is_new",
        """
        update workers w
        set revoked_at = coalesce(w.revoked_at, now()), credential_hash = null, enrolment_hash = null
        where w.id = $1::uuid
        returning w.revoked_at = now() as is_new
        """
    )
}
