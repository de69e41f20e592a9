import Bytes
import Core
import Testing

@testable import Store

@Suite struct SubmitTests {
    private static func name(_ submission: Submission) -> String {
        switch submission {
        case .created: "created"
        case .repeated: "repeated"
        case .keyReused: "keyReused"
        case .projectGone: "projectGone"
        case .quotaExceeded(let name): name.rawValue
        }
    }

    @Test func `a job comes back as it was submitted`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            var command = world.job(person, runAt: World.start.adding(seconds: 5))
            command.work = .command(
                CommandSpec(argv: ["a", "", "é\u{1f600}\"\\"], environment: ["X": "1\n2"], standardInput: "in")
            )
            var agent = world.job(person, workspace: .project, attempts: 3, priority: 0)
            agent.work = .claude(
                ClaudeSpec(prompt: String(repeating: "p\u{e9}", count: 200_000), model: "m", maxTurns: 7)
            )
            agent.timeoutSeconds = nil
            try await world.submit([command, agent], by: person)
            for job in [command, agent] {
                let stored = try await world.store.jobs.job(job.id, scope: person.scope)
                #expect(stored?.value == job)
                #expect(stored?.role == .owner)
            }
            let stranger = try await world.person()
            #expect(try await world.store.jobs.job(agent.id, scope: stranger.scope) == nil)
        }
    }

    @Test func `nobody submits into another team's project, also not by naming it as the own`() async throws {
        try await withWorld { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            var disguised = world.job(mine, project: theirs.project)
            let plain = world.job(theirs)
            let jobs = [disguised, plain].map { NewJob(job: $0, idempotencyKey: "k", requestHash: [1]) }
            let refused = try await world.store.jobs.submit(jobs, scope: mine.scope)
            #expect(refused.map(Self.name) == ["projectGone", "projectGone"])
            disguised.id = JobID(at: World.start)
            let mixed = try await world.atOnce(20) { index in
                let person = index % 2 == 0 ? mine : theirs
                let new = NewJob(job: world.job(person), idempotencyKey: nil, requestHash: [1])
                return Self.name(try await world.store.jobs.submit([new], scope: mine.scope)[0])
            }
            #expect(mixed == (0..<20).map { $0 % 2 == 0 ? "created" : "projectGone" })
        }
    }

    @Test func `a repeated key gives the first job, another request under it a refusal`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let first = world.job(person)
            let jobs = world.store.jobs
            func send(_ job: Job, _ hash: [UInt8], _ key: String = "key") async throws -> Submission {
                try await jobs.submit(
                    [NewJob(job: job, idempotencyKey: key, requestHash: hash)],
                    scope: person.scope
                )[0]
            }
            #expect(Self.name(try await send(first, [1])) == "created")
            guard case .repeated(let again) = try await send(world.job(person), [1]) else {
                Issue.record("not repeated")
                return
            }
            #expect(again == first)
            #expect(Self.name(try await send(world.job(person), [2])) == "keyReused")
            #expect(Self.name(try await send(world.job(person), [2], "other")) == "created")
            let other = try await world.person()
            let theirs = NewJob(job: world.job(other), idempotencyKey: "key", requestHash: [1])
            #expect(Self.name(try await jobs.submit([theirs], scope: other.scope)[0]) == "created")
        }
    }

    @Test func `of many submits with one key at once, over several stores, one creates`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let second = try Store(configuration: StoreConfiguration(url: world.url), loop: world.loop)
            try await second.start()
            let jobs = (0..<60).map { _ in world.job(person) }
            let outcomes = try await world.atOnce(60) { index in
                let store = index % 2 == 0 ? world.store : second
                let keys = ["a\(index % 3)", "b\(index % 3)"]
                let pair = keys.map { key in
                    var job = jobs[index]
                    job.id = JobID(at: World.start)
                    return NewJob(job: job, idempotencyKey: key, requestHash: [1])
                }
                return try await store.jobs.submit(index % 4 < 2 ? pair : pair.reversed(), scope: person.scope)
            }
            await second.close()
            let names = outcomes.flatMap { $0.map(Self.name) }
            #expect(names.filter { $0 == "created" }.count == 6)
            #expect(names.filter { $0 == "repeated" }.count == 114)
            #expect(try await world.store.jobs.counts() == [.queued: 6])
        }
    }

    @Test func `one bad request does not spoil the others of its batch`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let outcomes = try await world.atOnce(30) { index -> String in
                var job = world.job(person)
                if index == 7 { job.maxAttempts = 99 }
                do {
                    return Self.name(
                        try await world.store.jobs.submit(
                            [NewJob(job: job, idempotencyKey: nil, requestHash: [1])],
                            scope: person.scope
                        )[0]
                    )
                } catch StoreError.failed(_, let state) {
                    return state
                }
            }
            #expect(outcomes.enumerated().allSatisfy { $0.element == ($0.offset == 7 ? "23514" : "created") })
        }
    }

    @Test func `nothing is submitted by an empty call`() async throws {
        try await withWorld { world in
            let submissions = try await world.store.jobs.submit([], scope: .system)
            let verdicts = try await world.store.jobs.finish([], now: World.start)
            #expect(submissions.isEmpty && verdicts.isEmpty)
        }
    }
}
