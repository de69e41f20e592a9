import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// Each act is recorded with what it does, once, and not when it does nothing.
@Suite struct AuditedActTests {
    private static func names(_ world: World, _ chain: AuditChain) async throws -> [String] {
        try await world.acts(of: chain).map(\.action)
    }

    @Test func `a project's life is recorded, and what changed nothing is not`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let projects = world.store.projects
            let project = try await world.project(in: person.team.id)
            let draft = { (action: String) in AuditDraft.sample(action, team: person.team.id) }
            _ = try await projects.updateProject(
                project.id,
                name: "x",
                policy: nil,
                scope: other.scope,
                audit: draft("stranger")
            )
            _ = try await projects.updateProject(
                project.id,
                name: "x",
                policy: nil,
                scope: person.scope,
                audit: draft("updated")
            )
            try await world.submit([world.job(person, project: project)], by: person)
            await #expect(throws: StoreError.conflict(field: "jobs")) {
                try await projects.deleteProject(project.id, scope: person.scope, audit: draft("too early"))
            }
            let job = try #require(
                try await world.store.jobs.jobs(JobFilter(), before: nil, limit: 1, scope: person.scope).items.first
            )
            for name in ["cancelled", "again"] {
                _ = try await world.store.jobs.requestCancel(
                    job.id,
                    scope: person.scope,
                    now: World.start,
                    audit: draft(name)
                )
            }
            for name in ["deleted", "again"] {
                _ = try await projects.deleteProject(project.id, scope: person.scope, audit: draft(name))
            }
            await #expect(throws: StoreError.notFound) {
                try await projects.createProject(project, scope: other.scope, audit: draft("stranger"))
            }
            let acts = try await Self.names(world, .team(person.team.id))
            #expect(
                acts == [
                    "project.created", "project.created", "updated", "job.submitted", "cancelled", "deleted",
                ]
            )
        }
    }

    @Test func `asking again that a running job end is not recorded again`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person)], by: person)
            let job = try await world.claimOne(lease)
            for second in 0..<3 {
                _ = try await world.store.jobs.requestCancel(
                    job.id,
                    scope: person.scope,
                    now: World.start.adding(seconds: second),
                    audit: .sample("cancelled \(second)", team: person.team.id)
                )
            }
            let acts = try await Self.names(world, .team(person.team.id))
            #expect(acts.filter { $0.hasPrefix("cancelled") } == ["cancelled 0"])
        }
    }

    @Test func `of a batch of many people's submits each created job is recorded in its team's chain`() async throws {
        try await withWorld { world in
            var people: [Person] = []
            for _ in 0..<5 { people.append(try await world.person()) }
            let everyone = people
            let answers = try await world.atOnce(100) { index -> (JobID, TeamID, Bool) in
                let person = everyone[index % 5]
                // Some repeat another's key, some reach for a team that is not theirs.
                let scope = index % 10 == 9 ? everyone[(index + 1) % 5].scope : person.scope
                let job = world.job(person)
                let new = NewJob(job: job, idempotencyKey: index % 4 == 0 ? "same" : nil, requestHash: [1])
                let answer = try await world.store.jobs.submit([new], scope: scope).first
                if case .created = answer { return (job.id, person.team.id, true) }
                return (job.id, person.team.id, false)
            }
            for person in everyone {
                let created = answers.filter { $0.1 == person.team.id && $0.2 }.map(\.0.description)
                let acts = try await world.acts(of: .team(person.team.id)).filter { $0.action == "job.submitted" }
                #expect(acts.compactMap(\.target).sorted() == created.sorted())
                #expect(!created.isEmpty && created.count < 20)
            }
        }
    }

    @Test func `workers and accounts are recorded once for each change`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            let (workers, accounts) = (world.store.workers, world.store.accounts)
            for hash in [lease.worker.uuidBytes, [1]] {
                _ = try await workers.enrol(enrolmentHash: hash, credentialHash: [9], now: World.start)
            }
            for _ in 0..<2 { _ = try await workers.revokeWorker(lease.worker) }
            for flag in [true, true, false, false] { _ = try await accounts.setDisabled(person.user.id, flag) }
            _ = try await accounts.setDisabled(UserID(at: World.start), true)
            #expect(
                try await Self.names(world, .installation) == [
                    "user.created", "worker.created", "worker.enrolled", "worker.revoked", "user.disabled",
                    "user.enabled",
                ]
            )
        }
    }

    @Test func `a crash leaves both the acts and their records, or neither`() async throws {
        let cluster = try PrivateDatabase(isDurable: true)
        try await cluster.start()
        let loop = try EventLoop.start(name: "crash")
        defer { loop.stop() }
        try await loop.run {
            _ = try await DatabaseBootstrap.prepare(
                superuser: ConnectionParameters(cluster.superuser),
                database: "errand",
                passwords: RolePasswords(owner: "one", app: "two", audit: "three"),
                migrations: TestDatabases.migrations,
                on: loop
            )
            let world = try World(database: "errand", cluster: cluster, connections: 2, loop: loop)
            try await world.store.start()
            let person = try await world.person()
            var answered = 0
            let writers = LoopCondition()
            var running = 4
            for _ in 0..<4 {
                loop.spawnLocal {
                    // Until the server dies under it.
                    while (try? await world.submit([world.job(person)], by: person)) != nil { answered += 1 }
                    running -= 1
                    writers.signalAll()
                }
            }
            while answered < 50 { await loop.sleep(.milliseconds(1)) }
            await cluster.crash()
            while running > 0 { await writers.wait() }
            await world.store.close()
            try await cluster.start()
            let after = try World(database: "errand", cluster: cluster, connections: 2, loop: loop)
            try await after.store.start()
            let jobs = try await after.store.jobs.queued(after: nil, limit: 100_000).map(\.job.description)
            let acts = try await after.acts(of: .team(person.team.id)).filter { $0.action == "job.submitted" }
            #expect(jobs.count >= answered)
            #expect(Set(jobs) == Set(acts.compactMap(\.target)) && jobs.count == acts.count)
            await after.store.close()
        }
        await cluster.crash()
    }
}
