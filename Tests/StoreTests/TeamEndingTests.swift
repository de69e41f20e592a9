import Bytes
import Core
import TestSupport
import Testing

@testable import Store

@Suite struct TeamEndingTests {
    private static let week = 7 * 86_400

    private static func delete(_ person: Person, _ world: World) async throws {
        let verdict = try await world.store.teams.delete(
            person.team.id,
            now: World.start,
            scope: person.scope,
            audit: .sample("team.deleted", team: person.team.id)
        )
        #expect(verdict == .done)
    }

    private static func purge(_ team: TeamID, after seconds: Int, _ world: World) async throws -> TeamPurge {
        try await world.store.endings.purge(
            team,
            now: World.start.adding(seconds: seconds),
            limit: 2,
            audit: .sample("team.purged", team: team)
        )
    }

    @Test func `jobs of a team that is being deleted are ended, and of no other`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let lease = try await world.worker()
            try await world.submit([world.job(person)], by: person)
            let running = try await world.claimOne(lease)
            let waiting = try await world.submit(
                [world.job(person), world.job(person, runAt: World.start.adding(seconds: 60))],
                by: person
            )
            let foreign = try #require(try await world.submit([world.job(other)], by: other).first)
            let endings = world.store.endings
            #expect(try await endings.endJobs(now: World.start, limit: 10).isEmpty)
            try await Self.delete(person, world)
            let ended = try await endings.endJobs(now: World.start, limit: 10)
            #expect(Set(ended.map(\.job)) == Set(waiting.map(\.id) + [running.id]))
            #expect(ended.first { $0.job == running.id }?.worker == lease.worker)
            #expect(try await endings.endJobs(now: World.start, limit: 10).isEmpty)
            for job in waiting { #expect(try await world.current(job.id).state == .cancelled) }
            #expect(try await world.current(running.id).cancelRequestedAt == World.start)
            #expect(try await world.current(foreign.id).state == .queued)
        }
    }

    @Test func `no job and no project comes into a team that is being deleted, until it is taken back`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            try await Self.delete(person, world)
            #expect(try await world.store.projects.project(person.project.id, scope: person.scope)?.isClosing == true)
            let new = NewJob(job: world.job(person), idempotencyKey: nil, requestHash: [1])
            guard case .projectGone = try await world.store.jobs.submit([new], scope: person.scope).first else {
                Issue.record("a job was submitted")
                return
            }
            var project = person.project
            (project.id, project.name) = (ProjectID(at: World.start), "late")
            await #expect(throws: StoreError.conflict(field: "team")) {
                try await world.store.projects.createProject(project, scope: person.scope)
            }
            let back = try await world.store.teams.restore(
                person.team.id,
                now: World.start,
                scope: person.scope,
                audit: .sample("team.restored")
            )
            #expect(back == .done)
            try await world.store.projects.createProject(project, scope: person.scope)
            try await world.submit([world.job(person)], by: person)
        }
    }

    @Test func `of submits and a deletion at once no job is left alive`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            _ = try await world.atOnce(60) { index -> Int in
                if index == 30 {
                    try await Self.delete(person, world)
                } else {
                    let new = NewJob(job: world.job(person), idempotencyKey: nil, requestHash: [1])
                    _ = try await world.store.jobs.submit([new], scope: person.scope)
                }
                return index
            }
            while try await !world.store.endings.endJobs(now: World.start, limit: 7).isEmpty {}
            var filter = JobFilter()
            filter.states = JobState.allCases.filter { !$0.isFinal }
            let alive = try await world.store.jobs.jobs(filter, before: nil, limit: 100, scope: person.scope)
            #expect(alive.items.isEmpty)
        }
    }

    @Test func `after a week nothing of a team is left but its audit log`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let lease = try await world.worker()
            let endings = world.store.endings
            _ = try await world.store.projects.setHome(person.project.id, lease.worker, scope: .system)
            _ = try await world.store.projects.setHome(other.project.id, lease.worker, scope: .system)
            let jobs = try await world.submit((0..<3).map { _ in world.job(person) }, by: person)
            let claimed = try await world.claimOne(lease)
            _ = try await world.store.log.append(records(1...3), to: claimed.current)
            let kept = try #require(try await world.submit([world.job(other)], by: other).first)
            #expect(try await Self.purge(person.team.id, after: Self.week, world) == .unknown)
            try await Self.delete(person, world)
            _ = try await endings.endJobs(now: World.start, limit: 10)
            let end = World.start.adding(seconds: Self.week)
            // One of its jobs still runs.
            #expect(try await endings.endedTeams(now: end, limit: 10).isEmpty)
            _ = try await world.store.jobs.finish(
                [claimed.end(.cancelled, reason: .cancelledByUser, lastSeq: 3)],
                now: World.start
            )
            #expect(try await endings.endedTeams(now: end.adding(seconds: -1), limit: 10).isEmpty)
            #expect(try await Self.purge(person.team.id, after: Self.week - 1, world) == .unknown)
            #expect(try await endings.endedTeams(now: end, limit: 10) == [person.team.id])
            var steps: [TeamPurge] = []
            while steps.last != .done, steps.count < 10 {
                steps.append(try await Self.purge(person.team.id, after: Self.week, world))
            }
            #expect(steps == [.more, .more, .done])
            #expect(try await endings.endedTeams(now: end, limit: 10).isEmpty)
            for job in jobs { #expect(try await world.store.jobs.job(job.id, scope: .system) == nil) }
            #expect(try await world.store.log.durable(claimed.current) == 0)
            #expect(try await world.store.projects.project(person.project.id, scope: .system) == nil)
            #expect(try await world.store.teams.team(person.team.id, scope: .system) == nil)
            #expect(try await world.store.teams.memberships(of: person.user.id).isEmpty)
            #expect(
                try await world.acts(of: .team(person.team.id)).map(\.action).suffix(2) == [
                    "team.deleted", "team.purged",
                ]
            )
            // The control: the other team has everything.
            #expect(try await world.store.jobs.job(kept.id, scope: other.scope) != nil)
            // Its workspace goes when the worker that holds it says so.
            #expect(try await endings.removals(of: lease.worker, limit: 10) == [person.project.id])
            try await endings.removed([person.project.id], by: WorkerID(at: World.start))
            #expect(try await endings.removals(of: lease.worker, limit: 10) == [person.project.id])
            try await endings.removed([person.project.id], by: lease.worker)
            #expect(try await endings.removals(of: lease.worker, limit: 10).isEmpty)
        }
    }

    @Test func `a step of a purge deletes so many pieces of log and no more`() async throws {
        try await withWorld { world in
            let (person, lease) = (try await world.person(), try await world.worker())
            try await world.submit([world.job(person)], by: person)
            let job = try await world.claimOne(lease)
            for first in stride(from: UInt64(1), through: 13, by: 3) {
                _ = try await world.store.log.append(records(first...first + 2), to: job.current)
            }
            _ = try await world.store.jobs.finish([job.end(lastSeq: 15)], now: World.start)
            try await Self.delete(person, world)
            // Pieces of log and jobs, as they are before each step.
            var counts: [[Int]] = []
            var steps: [TeamPurge] = []
            while steps.last != .done, steps.count < 10 {
                counts.append(try await Self.counts(world))
                steps.append(try await Self.purge(person.team.id, after: Self.week, world))
            }
            #expect(counts == [[5, 1], [3, 1], [1, 1], [0, 0]])
            #expect(steps == [.more, .more, .more, .done])
        }
    }

    /// Pieces of log and jobs in the database, whosoever they are.
    private static func counts(_ world: World) async throws -> [Int] {
        let cluster = try #require(PrivateDatabase.shared)
        let call = PostgresStatement(
            "test.counts",
            "select (select count(*) from job_output), (select count(*) from jobs)"
        )
        return try await TestDatabases.superuser(cluster, database: world.database) { session in
            try await session.run(call()).rows { row throws(StoreError) in
                [try row.value(Int.self), try row.value(Int.self)]
            }
        }.flatMap { $0 }
    }

    @Test func `a deleted project has its workspace removed where it was, and no other`() async throws {
        try await withWorld { world in
            let (person, lease) = (try await world.person(), try await world.worker())
            let (projects, endings) = (world.store.projects, world.store.endings)
            let homeless = try await world.project(in: person.team.id)
            let kept = try await world.project(in: person.team.id)
            for id in [person.project.id, kept.id] { _ = try await projects.setHome(id, lease.worker, scope: .system) }
            #expect(try await endings.removals(of: lease.worker, limit: 10).isEmpty)
            #expect(try await projects.deleteProject(homeless.id, scope: person.scope))
            #expect(try await endings.removals(of: lease.worker, limit: 10).isEmpty)
            #expect(try await projects.deleteProject(person.project.id, scope: person.scope))
            #expect(try await endings.removals(of: lease.worker, limit: 10) == [person.project.id])
            #expect(try await !projects.deleteProject(person.project.id, scope: person.scope))
            try await endings.removed([person.project.id], by: lease.worker)
            #expect(try await endings.removals(of: lease.worker, limit: 10).isEmpty)
        }
    }

    @Test func `invitations are forgotten a month after their end`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let invite = Invite(
                id: InviteID(at: World.start),
                teamID: person.team.id,
                role: .member,
                email: nil,
                invitedBy: nil,
                createdAt: World.start,
                expiresAt: World.start.adding(seconds: 60)
            )
            let hash = [UInt8](repeating: 1, count: 32)
            _ = try await world.store.invites.create(invite, tokenHash: hash, scope: person.scope, audit: .sample("x"))
            let month = 30 * 86_400
            try await world.store.endings.expireInvites(now: World.start.adding(seconds: month), limit: 10)
            #expect(try await world.store.invites.invite(tokenHash: hash) != nil)
            try await world.store.endings.expireInvites(now: World.start.adding(seconds: month + 61), limit: 10)
            #expect(try await world.store.invites.invite(tokenHash: hash) == nil)
        }
    }
}
