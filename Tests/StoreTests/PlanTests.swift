import Bytes
import Core
import Platform
import Testing

@testable import Store

@Suite struct PlanTests {
    private static let flush = PostgresStatement("stats.flush", "select pg_stat_force_next_flush()")
    private static let rowsRead = PostgresStatement(
        "stats.read",
        """
        select i.indexrelname::text, i.idx_tup_read from pg_stat_user_indexes i
        union all
        select 'all of ' || t.relname, t.seq_tup_read from pg_stat_user_tables t
        """
    )

    /// One turn of everything that a job goes through, and what goes on around it.
    private static func turn(
        _ world: World,
        _ jobs: PostgresJobStore,
        _ log: PostgresLogStore,
        _ person: Person,
        _ lease: WorkerLease,
        workspace: WorkspaceMode
    ) async throws {
        let job = world.job(person, workspace: workspace, priority: 0)
        let new = NewJob(job: job, idempotencyKey: world.unique("key"), requestHash: [1])
        _ = try await jobs.submit([new], scope: person.scope)
        _ = try await jobs.sweep(now: World.start.adding(seconds: 1), staleAfter: .seconds(3), limit: 5)
        let claimed = try await jobs.claim(candidates: [job.id], lease: lease, limit: 1, now: World.start)
        let running = try #require(claimed.first?.job)
        _ = try await jobs.markStarted(running.current, now: World.start)
        _ = try await log.append(records(1...3), to: running.current)
        _ = try await jobs.reconcile([running.current], lease: lease)
        let lost = try await jobs.lost(now: World.start, includesSilent: true, limit: 5)
        _ = try await jobs.reap(
            lost + [LostAttempt(attempt: running.current, isLast: true)],
            now: World.start,
            includesSilent: true
        )
        _ = try await jobs.finish([running.end(lastSeq: 3)], now: World.start)
        let fair = try await jobs.claim(candidates: nil, lease: lease, limit: 2, now: World.start)
        _ = try await jobs.release(fair.map(\.job.current), now: World.start)
        _ = try await jobs.jobs(JobFilter(), before: nil, limit: 5, scope: person.scope)
        var filter = JobFilter()
        filter.states = [.running]
        _ = try await jobs.jobs(filter, before: nil, limit: 5, scope: person.scope)
        filter = JobFilter()
        filter.project = person.project.id
        _ = try await jobs.jobs(filter, before: nil, limit: 5, scope: person.scope)
        _ = try await jobs.queued(after: job.id, limit: 5)
        _ = try await jobs.running(lease)
        // A job that is delayed, and one whose home is away.
        let absent = try await world.worker(now: World.start.adding(seconds: -100))
        let remote = try await world.project(in: person.team.id)
        _ = try await world.store.projects.setHome(remote.id, absent.worker, scope: .system)
        let waiting = world.job(person, workspace: .project, project: remote)
        let delayed = world.job(person, runAt: World.start.adding(.milliseconds(500)))
        try await world.submit([waiting, delayed], by: person)
        _ = try await jobs.sweep(now: World.start.adding(seconds: 1), staleAfter: .seconds(3), limit: 5)
        _ = try await jobs.requestCancel(waiting.id, scope: person.scope, now: World.start)
        _ = try await jobs.requestCancel(delayed.id, scope: person.scope, now: World.start)
        _ = try await world.store.projects.deleteProject(remote.id, scope: person.scope)
        _ = try await jobs.requestCancel(job.id, scope: person.scope, now: World.start)
        _ = try await log.read(running.current, from: 1, maximumBytes: 100)
    }

    @Test func `plans made for empty tables read no more rows when the tables are full`() async throws {
        try await withWorld { world in
            let pool = PostgresPool(try ConnectionParameters(world.url), size: 1, loop: world.loop)
            try await pool.start()
            let jobs = PostgresJobStore(pool, loop: world.loop)
            let log = PostgresLogStore(pool, loop: world.loop)
            func read() async throws -> [String: Int] {
                _ = try await pool.run(nil, Self.flush())
                let rows = try await pool.run(nil, Self.rowsRead()).rows { row throws(StoreError) in
                    (name: try row.value(String.self), count: try row.value(Int.self))
                }
                return Dictionary(rows.map { ($0.name, $0.count) }) { first, _ in first }
            }
            let person = try await world.person()
            let lease = try await world.worker()
            for _ in 0..<3 {
                try await Self.turn(world, jobs, log, person, lease, workspace: .none)
                try await Self.turn(world, jobs, log, person, lease, workspace: .project)
            }
            for _ in 0..<10 {
                let (other, quiet) = (try await world.person(), try await world.person())
                // Through the watched session: others tell their statistics when they like.
                let many =
                    (0..<400).map { _ in world.job(other) }
                    + (0..<100).map { _ in world.job(quiet, workspace: .project) }
                _ = try await jobs.submit(
                    many.map { NewJob(job: $0, idempotencyKey: nil, requestHash: [1]) },
                    scope: .system
                )
            }
            let before = try await read()
            for _ in 0..<10 {
                try await Self.turn(world, jobs, log, person, lease, workspace: .none)
                try await Self.turn(world, jobs, log, person, lease, workspace: .project)
            }
            // Some dozens of entries of an index for each of the twenty turns; one scan of a queue would read thousands.
            let spent = try await read().filter { $0.value - before[$0.key, default: 0] > 20 * 100 }
            #expect(spent.isEmpty)
            await pool.close()
        }
    }
}
