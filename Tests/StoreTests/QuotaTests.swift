import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// What a team may have, held to in the transaction of the act.
@Suite(.timeLimit(.minutes(5))) struct QuotaTests {
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

    private static func used(_ name: QuotaName, _ person: Person, _ world: World) async throws -> Int64? {
        try await world.store.quotas.quotas(of: person.team.id, scope: person.scope, now: World.start)
            .first { $0.name == name }?.used
    }

    private static func new(_ job: Job, key: String? = nil) -> NewJob {
        NewJob(job: job, idempotencyKey: key, requestHash: [1], audit: .sample("job.submitted", team: job.teamID))
    }

    private static func refusals(_ submissions: [Submission]) -> [QuotaName] {
        submissions.compactMap { if case .quotaExceeded(let name) = $0 { name } else { nil } }
    }

    /// A second store over the same database: another replica.
    private static func withReplica(_ world: World, _ body: (Store) async throws -> Void) async throws {
        let store = try Store(configuration: StoreConfiguration(url: world.url, connections: 3), loop: world.loop)
        try await store.start()
        do {
            try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    @Test func `of fifty submits at the last free place exactly one wins`() async throws {
        try await withWorld { world in
            try await Self.withReplica(world) { replica in
                let person = try await world.person()
                try await Self.set(.queuedJobs, 8, person, world)
                try await world.submit((0..<7).map { _ in world.job(person) }, by: person)
                let jobs = (0..<50).map { _ in world.job(person) }
                let found = try await world.atOnce(50) { number in
                    let store = number % 2 == 0 ? world.store : replica
                    return try await store.jobs.submit([Self.new(jobs[number])], scope: person.scope)[0]
                }
                #expect(Self.refusals(found) == [QuotaName](repeating: .queuedJobs, count: 49))
                #expect(found.count { if case .created = $0 { true } else { false } } == 1)
                #expect(try await Self.used(.queuedJobs, person, world) == 8)
            }
        }
    }

    @Test func `a batch fills what is free, a repeat takes no place, and other teams feel nothing`() async throws {
        try await withWorld { world in
            let (full, other) = (try await world.person(), try await world.person())
            try await Self.set(.queuedJobs, 3, full, world)
            let first = Self.new(world.job(full), key: "once")
            _ = try await world.store.jobs.submit([first], scope: full.scope)
            let batch = [Self.new(world.job(full), key: "once")] + (0..<4).map { _ in Self.new(world.job(full)) }
            let found = try await world.store.jobs.submit(batch, scope: full.scope)
            guard case .repeated(let before) = found[0] else {
                Issue.record("\(found[0])")
                return
            }
            #expect(before.id == first.job.id)
            #expect(Self.refusals(found).count == 2)
            // Its key is not spent: once there is room, the same request makes the job.
            let late = Self.new(world.job(full), key: "late")
            #expect(try await Self.refusals(world.store.jobs.submit([late], scope: full.scope)) == [.queuedJobs])
            let both = try await world.atOnce(20) { number -> Bool in
                let person = number % 2 == 0 ? full : other
                let job = Self.new(world.job(person))
                return try await Self.refusals(world.store.jobs.submit([job], scope: person.scope)).isEmpty
            }
            #expect(both == (0..<20).map { $0 % 2 == 1 })
            _ = try await world.store.jobs.requestCancel(
                first.job.id,
                scope: full.scope,
                now: World.start,
                audit: .sample("job.cancelled", team: full.team.id)
            )
            guard case .created = try await world.store.jobs.submit([late], scope: full.scope)[0] else {
                Issue.record("there is room again")
                return
            }
        }
    }

    @Test(arguments: [true, false]) func `two workers at the last running place start exactly one`(
        byHints: Bool
    ) async throws {
        try await withWorld { world in
            try await Self.withReplica(world) { replica in
                let (limited, other) = (try await world.person(), try await world.person())
                try await Self.set(.runningJobs, 3, limited, world)
                let leases = [try await world.worker(), try await world.worker()]
                let jobs = try await world.submit((0..<12).map { _ in world.job(limited) }, by: limited)
                try await world.submit([world.job(other), world.job(other, workspace: .project)], by: other)
                let claimed = try await world.atOnce(8) { number in
                    let store = number % 2 == 0 ? world.store : replica
                    return try await store.jobs.claim(
                        candidates: byHints ? jobs.map(\.id) : nil,
                        lease: leases[number % 2],
                        limit: 2,
                        now: World.start
                    )
                }.flatMap { $0 }.map(\.job)
                #expect(claimed.count { $0.teamID == limited.team.id } == 3)
                #expect(try await Self.used(.runningJobs, limited, world) == 3)
                #expect(try await Self.used(.queuedJobs, limited, world) == 9)
                // A team at its limit takes nobody's turn.
                let rest = try await world.claim(leases[0], 2)
                #expect(Set(rest.map(\.teamID)).isSubset(of: [other.team.id]))
                #expect(try await Self.used(.runningJobs, other, world) == 2)
                // The end of one lets the next one in, and says so.
                let ended = try #require(claimed.first { $0.teamID == limited.team.id })
                let verdict = try await world.store.jobs.finish([ended.end()], now: World.start)
                #expect(verdict.first?.next.map(\.team) == [limited.team.id])
                #expect(try await world.claim(leases[0], 5).count == 1)
            }
        }
    }

    @Test func `the queue does not hear of jobs that their team may not run now`() async throws {
        try await withWorld { world in
            let (limited, other) = (try await world.person(), try await world.person())
            try await Self.set(.runningJobs, 1, limited, world)
            let lease = try await world.worker()
            try await world.submit([world.job(limited)], by: limited)
            #expect(try await world.claim(lease, 1).count == 1)
            try await world.submit((0..<3).map { _ in world.job(limited) }, by: limited)
            try await world.submit([world.job(other)], by: other)
            let later = World.start.adding(.seconds(10))
            let hints = try await world.store.jobs.sweep(now: later, staleAfter: .seconds(3), limit: 100)
            #expect(hints.map(\.team) == [other.team.id])
            try await Self.set(.runningJobs, 5, limited, world)
            let more = try await world.store.jobs.sweep(now: later, staleAfter: .seconds(3), limit: 100)
            #expect(more.map(\.team) == [TeamID](repeating: limited.team.id, count: 3))
        }
    }

    @Test func `of fifty projects and fifty members at the last place exactly one is made`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            try await Self.set(.projects, 2, person, world)
            try await Self.set(.members, 2, person, world)
            let made = try await world.atOnce(50) { _ in
                do {
                    _ = try await world.project(in: person.team.id)
                    return true
                } catch StoreError.quotaExceeded(.projects) {
                    return false
                }
            }
            #expect(made.count { $0 } == 1)
            var others: [Person] = []
            for _ in 0..<20 { others.append(try await world.person()) }
            let guests = others
            let joined = try await world.atOnce(20) { number in
                do {
                    return try await world.store.teams.addMember(
                        guests[number].user.id,
                        to: person.team.id,
                        role: .member,
                        now: World.start,
                        audit: .sample("member.added", team: person.team.id)
                    ) == .done
                } catch StoreError.quotaExceeded(.members) {
                    return false
                }
            }
            #expect(joined.count { $0 } == 1)
            // Who is a member already takes no place; a project that goes makes room.
            let member = try #require(zip(guests, joined).first { $0.1 }?.0)
            let again = try await world.store.teams.addMember(
                member.user.id,
                to: person.team.id,
                role: .viewer,
                now: World.start,
                audit: .sample("member.added", team: person.team.id)
            )
            #expect(again == .alreadyMember)
            #expect(try await Self.used(.members, person, world) == 2)
            #expect(
                try await world.store.projects.deleteProject(
                    person.project.id,
                    scope: person.scope,
                    audit: .sample("project.deleted", team: person.team.id)
                )
            )
            _ = try await world.project(in: person.team.id)
            await #expect(throws: StoreError.quotaExceeded(.projects)) { try await world.project(in: person.team.id) }
        }
    }

    @Test func `what agents cost is counted once, and stops agents alone until the day ends`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await Self.set(.spendPerDay, 5_000, person, world)
            func agent() -> Job {
                var job = world.job(person)
                job.work = .claude(ClaudeSpec(prompt: "p", model: nil, maxTurns: nil))
                return job
            }
            func end(_ job: Job, cost: Int64) -> AttemptEnd {
                var end = job.end(lastSeq: 0)
                end.result.costMicroUSD = cost
                end.result.inputTokens = 10
                return end
            }
            try await world.submit([agent(), agent(), agent()], by: person)
            let first = try await world.claimOne(lease)
            for _ in 0..<3 { _ = try await world.store.jobs.finish([end(first, cost: 4_000)], now: World.start) }
            #expect(try await Self.used(.spendPerDay, person, world) == 4_000)
            // A cost below nought earns nothing.
            let second = try await world.claimOne(lease)
            _ = try await world.store.jobs.finish([end(second, cost: -9_000)], now: World.start)
            #expect(try await Self.used(.spendPerDay, person, world) == 4_000)
            let third = try await world.claimOne(lease)
            try await world.submit([agent()], by: person)
            _ = try await world.store.jobs.finish([end(third, cost: 1_000)], now: World.start)
            #expect(try await Self.used(.spendPerDay, person, world) == 5_000)

            let found = try await world.store.jobs.submit(
                [Self.new(agent()), Self.new(world.job(person))],
                scope: person.scope
            )
            #expect(Self.refusals(found) == [.spendPerDay])
            // The agent that waits goes on waiting, the command runs.
            let command = try await world.claim(lease, 5)
            #expect(command.map(\.work.kind) == [.command])
            let hints = try await world.store.jobs.sweep(
                now: World.start.adding(.seconds(10)),
                staleAfter: .seconds(3),
                limit: 100
            )
            #expect(hints.isEmpty)
            let tomorrow = World.start.adding(.seconds(86_400))
            _ = try await world.store.workers.beat(lease, now: tomorrow)
            #expect(try await world.claim(lease, 5, now: tomorrow).map(\.work.kind) == [.claude])
        }
    }

    @Test func `quotas are the installation's until a team has its own, and are nobody else's to see`() async throws {
        try await withWorld { world in
            let (person, stranger) = (try await world.person(), try await world.person())
            let quotas = world.store.quotas
            func limits() async throws -> [Int64?] {
                try await quotas.quotas(of: person.team.id, scope: person.scope, now: World.start).map(\.limit)
            }
            #expect(try await limits() == [nil, nil, nil, nil, nil, nil])
            try await quotas.setDefaults([.queuedJobs: 10, .projects: 5])
            #expect(try await limits() == [10, nil, nil, 5, nil, nil])
            try await Self.set(.queuedJobs, 3, person, world)
            #expect(try await limits().first == 3)
            let audit = AuditDraft.sample("quota.changed", team: person.team.id)
            func change(_ setting: QuotaSetting, of team: TeamID) async throws -> Bool {
                try await quotas.setQuota(.queuedJobs, setting, of: team, now: World.start, audit: audit)
            }
            #expect(try await change(.unlimited, of: person.team.id))
            #expect(try await limits().first == .some(nil))
            #expect(try await quotas.quotas(of: person.team.id, scope: .system, now: World.start).first?.isOwn == true)
            #expect(try await change(.standard, of: person.team.id))
            #expect(try await limits().first == 10)
            #expect(try await change(.standard, of: person.team.id))
            #expect(try await change(.limit(1), of: TeamID(at: World.start)) == false)
            #expect(try await change(.standard, of: TeamID(at: World.start)) == false)
            #expect(try await quotas.quotas(of: person.team.id, scope: stranger.scope, now: World.start).isEmpty)
            #expect(try await quotas.quotas(of: TeamID(at: World.start), scope: .system, now: World.start).isEmpty)
        }
    }

    @Test func `whatever happens to jobs, what is counted is what is there`() async throws {
        try await withWorld { world in
            var people: [Person] = []
            for _ in 0..<3 { people.append(try await world.person()) }
            let lease = try await world.worker()
            var generator = SystemRandomNumberGenerator()
            for round in 0..<120 {
                let person = people[Int.random(in: 0..<3, using: &generator)]
                switch Int.random(in: 0..<6, using: &generator) {
                case 0, 1:
                    try await world.submit((0..<Int.random(in: 1...5)).map { _ in world.job(person) }, by: person)
                case 2, 3:
                    let claimed = try await world.claim(lease, 3)
                    if round % 3 == 0 {
                        _ = try await world.store.jobs.release(claimed.map(\.current), now: World.start)
                    }
                case 4:
                    let running = try await world.store.jobs.running(lease)
                    for attempt in running.prefix(2) {
                        let job = try await world.current(attempt.job)
                        _ = try await world.store.jobs.finish([job.end()], now: World.start)
                    }
                default: try await world.store.quotas.fold(now: World.start, limit: 7)
                }
            }
            for person in people {
                var counts: [JobState: Int64] = [:]
                let page = try await world.store.jobs.jobs(JobFilter(), before: nil, limit: 1_000, scope: person.scope)
                for job in page.items { counts[job.state, default: 0] += 1 }
                #expect(try await Self.used(.queuedJobs, person, world) == counts[.queued, default: 0])
                #expect(try await Self.used(.runningJobs, person, world) == counts[.running, default: 0])
                #expect(try await Self.used(.projects, person, world) == 1)
                #expect(try await Self.used(.members, person, world) == 1)
            }
        }
    }

    @Test func `a finished log counts with its bytes`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person)], by: person)
            let job = try await world.claimOne(lease)
            _ = try await world.store.log.append(records(1...4), to: job.current)
            _ = try await world.store.jobs.finish([job.end(lastSeq: 4)], now: World.start)
            #expect(try await Self.used(.storedBytes, person, world) == 12)
        }
    }
}
