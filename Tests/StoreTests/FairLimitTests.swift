import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// A limit binds its own team: it neither takes other teams' turns nor lets more through than it says.
@Suite(.timeLimit(.minutes(5))) struct FairLimitTests {
    /// What keeps a team's agents from running.
    enum Bound: CaseIterable, Sendable { case running, spend }

    private static let later = World.start.adding(.seconds(10))
    private static let countWaits = PostgresStatement(
        "locks.count",
        "select count(*) from pg_locks l where l.locktype = 'advisory' and not l.granted"
    )

    private static func set(_ name: QuotaName, _ limit: Int64, _ person: Person, _ world: World) async throws {
        try #require(
            await world.store.quotas.setQuota(
                name,
                .limit(limit),
                of: person.team.id,
                now: World.start,
                audit: .sample("quota.changed", team: person.team.id)
            )
        )
    }

    /// A project of a person that comes before or behind those that are made in between.
    private static func project(of person: Person, _ world: World, seconds: Int) async throws -> Project {
        let project = Project(
            id: ProjectID(at: World.start.adding(.seconds(seconds))),
            teamID: person.team.id,
            name: world.unique("placed"),
            policy: .contained,
            homeWorker: nil,
            createdAt: World.start,
            updatedAt: World.start
        )
        try await world.store.projects.createProject(project, scope: .system)
        return project
    }

    private static func agent(
        _ person: Person,
        _ world: World,
        workspace: WorkspaceMode = .none,
        project: Project? = nil
    ) -> Job {
        var job = world.job(person, workspace: workspace, project: project)
        job.work = .claude(ClaudeSpec(prompt: "p", model: nil, maxTurns: nil))
        return job
    }

    /// Ends a running job with so many micro-dollars.
    private static func end(_ job: Job, cost: Int64, _ world: World) async throws -> [JobHint] {
        var end = job.end()
        end.result.costMicroUSD = cost
        return try await world.store.jobs.finish([end], now: World.start).flatMap(\.next)
    }

    /// Brings a team to a limit: one job runs of one that may, or its day's money is gone.
    private static func exhaust(_ person: Person, _ bound: Bound, _ world: World) async throws {
        let lease = try await world.worker()
        try await world.submit([agent(person, world)], by: person)
        let job = try await world.claimOne(lease)
        switch bound {
        case .running: try await set(.runningJobs, 1, person, world)
        case .spend:
            try await set(.spendPerDay, 1_000, person, world)
            _ = try await end(job, cost: 1_000, world)
        }
    }

    private static func sweep(_ world: World, limit: Int = 100) async throws -> [JobHint] {
        try await world.store.jobs.sweep(now: later, staleAfter: .seconds(3), limit: limit)
    }

    private static func byHints(_ jobs: [Job], _ lease: WorkerLease, _ limit: Int, _ world: World) async throws -> [Job]
    {
        try await world.store.jobs.claim(
            candidates: jobs.map(\.id),
            lease: lease,
            limit: limit,
            now: World.start
        ).map(\.job)
    }

    @Test(arguments: Bound.allCases) func `a team at its limit hides nobody else's workspaces from the sweep`(
        _ bound: Bound
    ) async throws {
        try await withWorld { world in
            let (limited, other) = (try await world.person(), try await world.person())
            try await Self.exhaust(limited, bound, world)
            for second in 0..<12 {
                let project = try await Self.project(of: limited, world, seconds: second)
                let job = Self.agent(limited, world, workspace: .project, project: project)
                // Made before the limit, so that they wait there.
                let new = NewJob(job: job, idempotencyKey: nil, requestHash: [1])
                if bound == .spend { try await Self.set(.spendPerDay, 1 << 40, limited, world) }
                _ = try await world.store.jobs.submit([new], scope: limited.scope)
                if bound == .spend { try await Self.set(.spendPerDay, 1_000, limited, world) }
            }
            let last = try await Self.project(of: other, world, seconds: 100)
            try await world.submit([world.job(other, workspace: .project, project: last)], by: other)
            #expect(try await Self.sweep(world, limit: 5).map(\.team) == [other.team.id])
            // With room again, they are hinted as they were.
            try await Self.set(.runningJobs, 100, limited, world)
            try await Self.set(.spendPerDay, 1 << 40, limited, world)
            #expect(try await Self.sweep(world, limit: 5).map(\.team) == [TeamID](repeating: limited.team.id, count: 5))
        }
    }

    @Test func `a command behind an agent that may not run is the first that may`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await Self.set(.spendPerDay, 1_000, person, world)
            func agent() -> Job { Self.agent(person, world, workspace: .project) }
            let first = agent()
            try await world.submit([first], by: person)
            let running = try #require(try await world.claim(lease, 1).first)
            var second = agent()
            second.priority = 1
            let command = world.job(person, workspace: .project)
            try await world.submit([second, command], by: person)
            // The end that reaches the day's limit hints the command, and so does the sweep.
            #expect(try await Self.end(running, cost: 1_000, world).map(\.job) == [command.id])
            #expect(try await Self.sweep(world).map(\.job) == [command.id])
            // Whoever has hints of both takes the command.
            #expect(try await Self.byHints([second, command], lease, 2, world).map(\.id) == [command.id])
            #expect(try await Self.sweep(world).isEmpty)
        }
    }

    @Test(arguments: [WorkspaceMode.none, .project], [true, false])
    func `a team of which nothing may run takes no worker's place`(
        _ workspace: WorkspaceMode,
        byHints: Bool
    ) async throws {
        try await withWorld { world in
            let people = [try await world.person(), try await world.person()].sorted { $0.team.id < $1.team.id }
            let (spent, other) = (people[0], people[1])
            try await Self.set(.spendPerDay, 1_000, spent, world)
            var agents: [Job] = []
            for second in 0..<8 {
                let project = try await Self.project(of: spent, world, seconds: second)
                agents.append(Self.agent(spent, world, workspace: workspace, project: project))
            }
            try await world.submit(agents, by: spent)
            let lease = try await world.worker()
            let ended = try await Self.byHints([agents[7]], lease, 1, world)
            _ = try await Self.end(try #require(ended.first), cost: 1_000, world)
            let place = try await Self.project(of: other, world, seconds: 100)
            let job = world.job(other, workspace: workspace, project: place)
            try await world.submit([job], by: other)
            let claimed =
                byHints
                ? try await Self.byHints(agents + [job], lease, 1, world) : try await world.claim(lease, 1)
            #expect(claimed.map(\.id) == [job.id])
            // The day after, they run.
            let tomorrow = World.start.adding(.seconds(86_400))
            _ = try await world.store.workers.beat(lease, now: tomorrow)
            #expect(try await world.claim(lease, 1, now: tomorrow).map(\.teamID) == [spent.team.id])
        }
    }

    @Test func `the end of a job of a team at its limit hints its idle workspaces`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await Self.set(.runningJobs, 1, person, world)
            let idle = try await world.project(in: person.team.id)
            try await world.submit([world.job(person, workspace: .project)], by: person)
            let running = try await world.claimOne(lease)
            let waiting = world.job(person, workspace: .project, project: idle)
            try await world.submit([waiting], by: person)
            #expect(try await Self.byHints([waiting], lease, 1, world).isEmpty)
            #expect(try await Self.end(running, cost: 0, world).map(\.job) == [waiting.id])
            // A team far from its limit needs no such hints: none were lost for it.
            let next = try #require(try await Self.byHints([waiting], lease, 1, world).first)
            try await world.submit([world.job(person, workspace: .project)], by: person)
            try await Self.set(.runningJobs, 1_000, person, world)
            #expect(try await Self.end(next, cost: 0, world).isEmpty)
        }
    }

    @Test func `a small claim and a large one do not fill the same places`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            try await Self.set(.runningJobs, 20, person, world)
            let lease = try await world.worker()
            let jobs = try await world.submit((0..<40).map { _ in world.job(person) }, by: person)
            #expect(try await Self.byHints(Array(jobs[0..<4]), lease, 4, world).count == 4)
            let claimed = try await Self.whileClaiming(jobs[39], lease, world) {
                try await Self.byHints(jobs, lease, 64, world).count
            }
            #expect(claimed == 15)
            let quotas = try await world.store.quotas.quotas(of: person.team.id, scope: person.scope, now: World.start)
            #expect(quotas.first { $0.name == .runningJobs }?.used == 20)
        }
    }

    @Test func `far from the limit small claims do not wait for each other`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            try await Self.set(.runningJobs, 1_000, person, world)
            let lease = try await world.worker()
            let jobs = try await world.submit((0..<4).map { _ in world.job(person) }, by: person)
            let claimed = try await Self.whileClaiming(jobs[3], lease, world, mayWait: false) {
                try await Self.byHints(jobs, lease, 2, world).count
            }
            #expect(claimed == 2)
        }
    }

    /// Does something while a claim of one job is not committed yet; that one is committed as soon as the other waits
    /// for it, or has ended.
    private static func whileClaiming<Value>(
        _ job: Job,
        _ lease: WorkerLease,
        _ world: World,
        mayWait: Bool = true,
        _ body: @escaping () async throws -> Value
    ) async throws -> Value {
        let parameters = try ConnectionParameters(world.url)
        let session = try await PostgresConnection.open(parameters, on: world.loop)
        defer { session.close() }
        let watch = PostgresPool(parameters, size: 1, loop: world.loop)
        try await watch.start()
        let now = "to_timestamp(\(World.start.milliseconds / 1_000))"
        let call = "'{\(job.id.uuidText)}', '\(lease.worker.uuidText)', \(lease.epoch), 1, \(now)"
        let lowest = "'00000000-0000-0000-0000-000000000000'"
        try await session.script(
            "begin; set local errand.scope = 'system'; select * from errand_claim(\(call), \(lowest), \(lowest))",
            stage: "claim.held"
        )
        var result: Result<Value, any Error>?
        let changed = LoopCondition()
        world.loop.spawnLocal {
            do { result = .success(try await body()) } catch { result = .failure(error) }
            changed.signalAll()
        }
        while result == nil {
            let waits = try await watch.run(nil, countWaits()).first { row throws(StoreError) in try row.value(Int.self)
            }
            if mayWait, waits != 0 { break }
        }
        try await session.script("commit", stage: "claim.held")
        while result == nil { await changed.wait() }
        await watch.close()
        return try #require(result).get()
    }
}
