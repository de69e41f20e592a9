import Bytes
import Core
import Testing

@testable import Store

@Suite struct RevokedWorkerTests {
    /// A world with a worker that holds a project's workspace, and one that holds another's.
    private static func with(
        _ body: @escaping @Sendable (World, Person, _ own: WorkerLease, _ other: WorkerLease) async throws -> Void
    ) async throws {
        try await withWorld { world in
            let person = try await world.person()
            let (own, other) = (try await world.worker(), try await world.worker())
            _ = try await world.store.projects.setHome(person.project.id, own.worker, scope: .system)
            try await body(world, person, own, other)
        }
    }

    private static func home(_ project: ProjectID, _ world: World) async throws -> WorkerID? {
        try #require(try await world.store.projects.project(project, scope: .system)).value.homeWorker
    }

    @Test func `what waits for a workspace that went with its worker fails and says so, and nothing else does`()
        async throws
    {
        try await Self.with { world, person, own, other in
            let (workers, projects) = (world.store.workers, world.store.projects)
            let elsewhere = try await world.project(in: person.team.id)
            _ = try await projects.setHome(elsewhere.id, other.worker, scope: .system)
            let blocked = world.job(person, workspace: .project)
            let kept = [world.job(person), world.job(person, workspace: .project, project: elsewhere)]
            try await world.submit([blocked] + kept, by: person)
            // Of the own worker nothing is heard for so long that what waits for it is blocked.
            _ = try await workers.beat(other, now: World.start.adding(seconds: 60))
            _ = try await world.store.jobs.sweep(
                now: World.start.adding(seconds: 60),
                staleAfter: .seconds(3),
                limit: 100
            )
            #expect(try await world.current(blocked.id).state == .blocked)
            let later = [
                world.job(person, workspace: .project),
                world.job(person, workspace: .project, runAt: World.start.adding(seconds: 86_400)),
            ]
            try await world.submit(later, by: person)
            let now = World.start.adding(seconds: 61)
            #expect(try await workers.settleRevoked(now: now, limit: 100).isEmpty)
            let holdings = try await workers.holdings(of: own.worker)
            #expect(holdings?.projects == 1 && holdings?.waiting == 3 && holdings?.running == 0)
            #expect(try await workers.holdings(of: WorkerID(at: World.start)) == nil)
            #expect(try await workers.revokeWorker(own.worker))
            let failed = try await workers.settleRevoked(now: now, limit: 100)
            #expect(Set(failed) == Set([blocked.id] + later.map(\.id)))
            for id in failed {
                let job = try await world.current(id)
                #expect(job.state == .failed && job.reason == .workspaceLost && job.finishedAt == now)
                #expect(job.reasonText?.contains("revoked") == true)
            }
            #expect(try await Self.home(person.project.id, world) == nil)
            // The control: jobs without the workspace, and those of a project that is elsewhere.
            for job in kept { #expect(try await world.current(job.id).state == .queued) }
            #expect(try await Self.home(elsewhere.id, world) == other.worker)
            #expect(try await workers.settleRevoked(now: now, limit: 100).isEmpty)
            // What comes later gets a new home.
            let fresh = world.job(person, workspace: .project, priority: 0)
            try await world.submit([fresh], by: person)
            let claimed = try await world.claim(other, 10, now: now)
            #expect(claimed.map(\.id).contains(fresh.id))
            #expect(try await Self.home(person.project.id, world) == other.worker)
        }
    }

    @Test
    func `a project keeps its lost home until the job that ran there has ended, so that its next try runs nowhere`()
        async throws
    {
        try await Self.with { world, person, own, other in
            let (workers, now) = (world.store.workers, World.start.adding(seconds: 1))
            let job = world.job(person, workspace: .project, attempts: 3)
            try await world.submit([job], by: person)
            let running = try await world.claimOne(own)
            #expect(try await world.store.jobs.markStarted(running.current, now: World.start))
            #expect(try await workers.holdings(of: own.worker)?.running == 1)
            #expect(try await workers.revokeWorker(own.worker))
            #expect(try await workers.settleRevoked(now: now, limit: 100).isEmpty)
            #expect(try await Self.home(person.project.id, world) == own.worker)
            // Its lease is over: the job goes back to the queue, where nobody may take it.
            let end = World.start.adding(LeaseTimes.timeToLive).adding(seconds: 1)
            #expect(try await workers.beat(other, now: end))
            #expect(try await world.reap(now: end).requeued.map(\.job) == [job.id])
            #expect(try await world.claim(other, 10, now: end).isEmpty)
            #expect(try await workers.settleRevoked(now: end, limit: 100) == [job.id])
            #expect(try await world.current(job.id).reason == .workspaceLost)
            #expect(try await Self.home(person.project.id, world) == nil)
        }
    }

    @Test func `a revoked worker is asked to remove nothing, and what it held takes no room`() async throws {
        try await Self.with { world, person, own, other in
            let (projects, quotas, endings) = (world.store.projects, world.store.quotas, world.store.endings)
            let room = try await quotas.holdWorkspace(
                person.project.id,
                bytes: 500,
                scope: person.scope,
                now: World.start
            )
            try await quotas.settleWorkspace(try #require(room), bytes: 500, scope: person.scope)
            for worker in [own, other] {
                let project = try await world.project(in: person.team.id)
                _ = try await projects.setHome(project.id, worker.worker, scope: .system)
                #expect(try await projects.deleteProject(project.id, scope: person.scope))
            }
            #expect(try await endings.removals(of: own.worker, limit: 10).count == 1)
            #expect(try await world.store.workers.revokeWorker(own.worker))
            _ = try await world.store.workers.settleRevoked(now: World.start, limit: 100)
            #expect(try await endings.removals(of: own.worker, limit: 10).isEmpty)
            #expect(try await endings.removals(of: other.worker, limit: 10).count == 1)
            let usage = try await quotas.quotas(of: person.team.id, scope: person.scope, now: World.start)
            #expect(usage.first { $0.name == .storedBytes }?.used == 0)
        }
    }

    @Test func `many projects of a revoked worker are settled a bounded number at a time`() async throws {
        try await Self.with { world, person, own, _ in
            var jobs = try await world.submit(
                (0..<5).map { _ in world.job(person, workspace: .project) },
                by: person
            ).map(\.id)
            for _ in 0..<4 {
                let project = try await world.project(in: person.team.id)
                _ = try await world.store.projects.setHome(project.id, own.worker, scope: .system)
                jobs += try await world.submit([world.job(person, workspace: .project, project: project)], by: person)
                    .map(\.id)
            }
            #expect(try await world.store.workers.revokeWorker(own.worker))
            var failed: [JobID] = []
            for _ in 0..<20 {
                let some = try await world.store.workers.settleRevoked(now: World.start, limit: 2)
                #expect(some.count <= 2)
                failed += some
            }
            #expect(failed.count == 9 && Set(failed) == Set(jobs))
            #expect(try await world.store.workers.holdings(of: own.worker)?.projects == 0)
        }
    }
}
