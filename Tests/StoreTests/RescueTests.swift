import Bytes
import Core
import Testing

@testable import Store

@Suite struct RescueTests {
    @Test func `the reaper waits for the lease, then queues, fails or cancels`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let (lost, alive) = (try await world.worker(), try await world.worker())
            let once = world.job(person)
            let twice = world.job(person, attempts: 2)
            let unwanted = world.job(person, attempts: 2)
            try await world.submit([once, twice, unwanted], by: person)
            let running = try await world.claim(lost, 3)
            _ = try await world.store.jobs.requestCancel(unwanted.id, scope: .system, now: World.start)
            try await world.submit([world.job(person)], by: person)
            let kept = try await world.claimOne(alive)

            let end = World.start.adding(LeaseTimes.timeToLive)
            _ = try await world.store.workers.beat(alive, now: end)
            let early = try await world.reap(now: end)
            #expect(early.requeued.isEmpty && early.failed.isEmpty)
            let now = end.adding(.milliseconds(1))
            _ = try await world.store.log.append(
                records(1...4),
                to: try #require(running.first { $0.id == once.id }).current
            )
            let reaped = try await world.reap(now: now)
            #expect(reaped.requeued.map(\.job) == [twice.id])
            let ended = Dictionary(reaped.failed.map { ($0.id, $0) }) { first, _ in first }
            #expect(ended[once.id]?.state == .failed && ended[once.id]?.reason == .workerLost)
            #expect(ended[once.id]?.logEnd == World.logEnd(4))
            #expect(ended[once.id]?.reasonText?.contains("The end of the log may be missing") == true)
            #expect(ended[unwanted.id]?.state == .cancelled && ended[unwanted.id]?.logEnd == World.logEnd(0))
            #expect(try await world.current(once.id) == ended[once.id])
            #expect(try await world.current(twice.id).logEnd == nil)
            #expect(try await world.current(kept.id).state == .running)
            #expect(try await world.reap(now: now).failed.isEmpty)

            // What the lost worker says afterwards is stale.
            let verdicts = try await world.store.jobs.finish(running.map { $0.end() }, now: now)
            #expect(verdicts.filter(\.isStale).count == running.count)
            for job in running {
                let written = try await world.store.log.append(records(1...1), to: job.current)
                #expect(written == nil)
                #expect(try await !world.store.jobs.markStarted(job.current, now: now))
            }
        }
    }

    @Test func `jobs of an older session are reaped at once`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person, attempts: 2)], by: person)
            let job = try await world.claimOne(lease)
            let resumed = try await world.store.workers.openSession(
                lease.worker,
                resuming: lease.epoch,
                slots: 1,
                now: World.start
            )
            #expect(try await world.store.jobs.running(resumed) == [job.current])
            #expect(try await world.reap(now: World.start).requeued.isEmpty)
            _ = try await world.store.workers.openSession(lease.worker, resuming: nil, slots: 1, now: World.start)
            #expect(try await world.reap(now: World.start).requeued.map(\.job) == [job.id])
        }
    }

    @Test func `after a start only attempts of former sessions are taken, at once`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let (silent, back) = (try await world.worker(), try await world.worker())
            try await world.submit([world.job(person), world.job(person), world.job(person)], by: person)
            let waits = try await world.claimOne(silent)
            let lost = try await world.claimOne(back)
            let given = try await world.claimOne(silent)
            // One that had begun and was given back has lost its worker too.
            #expect(try await world.store.jobs.markStarted(given.current, now: World.start))
            _ = try await world.store.jobs.release([given.current], now: World.start)
            let late = World.start.adding(seconds: 3_600)
            _ = try await world.store.workers.openSession(back.worker, resuming: nil, slots: 1, now: late)
            let first = try await world.reap(now: late, includesSilent: false)
            #expect(Set(first.failed.map(\.id)) == [lost.id, given.id])
            #expect(try await world.current(waits.id).state == .running)
            #expect(try await world.store.jobs.lost(now: late, includesSilent: false, limit: 10).isEmpty)
            #expect(try await world.reap(now: late).failed.map(\.id) == [waits.id])
        }
    }

    @Test func `what changed since it was found lost is judged anew`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let (gone, back) = (try await world.worker(), try await world.worker())
            // The one with two attempts is among the first two claimed.
            let mixed = [1, 2, 1].map { world.job(person, attempts: $0, priority: $0 == 2 ? 0 : 5) }
            try await world.submit(mixed, by: person)
            let jobs = try await world.claim(gone, 2)
            let renewed = try await world.claimOne(back)
            let now = World.start.adding(LeaseTimes.timeToLive).adding(.milliseconds(1))
            var lost = try await world.store.jobs.lost(now: now, includesSilent: true, limit: 10)
            #expect(Set(lost.map(\.attempt)) == Set((jobs + [renewed]).map(\.current)))
            #expect(lost.filter { !$0.isLast }.count == 1)
            for index in lost.indices { lost[index].log = .end(World.logEnd(0)) }
            // The lease is renewed, one log has grown, and the job that would be tried again is not wanted any more.
            _ = try await world.store.workers.beat(back, now: now)
            let grown = try #require(jobs.first { $0.maxAttempts == 1 })
            let unwanted = try #require(jobs.first { $0.maxAttempts == 2 })
            _ = try await world.store.log.append(records(1...2), to: grown.current)
            _ = try await world.store.jobs.requestCancel(unwanted.id, scope: .system, now: now)
            for index in lost.indices where lost[index].attempt == unwanted.current { lost[index].log = .unknown }
            let none = try await world.store.jobs.reap(lost, now: now, includesSilent: true)
            #expect(none.requeued.isEmpty && none.failed.isEmpty)
            // The control: as they are now, those two are taken.
            let taken = try await world.reap(now: now)
            #expect(Set(taken.failed.map(\.id)) == [grown.id, unwanted.id])
            #expect(taken.failed.first { $0.id == grown.id }?.logEnd == World.logEnd(2))
            #expect(try await world.current(renewed.id).state == .running)
        }
    }

    @Test func `a job whose log cannot be read ends without a proof`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            try await world.submit([world.job(person)], by: person)
            _ = try await world.claimOne(try await world.worker())
            let now = World.start.adding(seconds: 60)
            var lost = try await world.store.jobs.lost(now: now, includesSilent: true, limit: 10)
            lost[0].log = .damaged
            let failed = try #require(
                try await world.store.jobs.reap(lost, now: now, includesSilent: true).failed.first
            )
            #expect(failed.state == .failed && failed.logEnd == nil)
            #expect(failed.reasonText?.contains("the stored log cannot be read") == true)
        }
    }

    @Test func `two reapers share the work`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit((0..<40).map { _ in world.job(person) }, by: person)
            _ = try await world.claim(lease, 40)
            let now = World.start.adding(seconds: 60)
            let rounds = try await world.atOnce(6) { _ in
                try await world.reap(now: now).failed.map(\.id)
            }
            let last = try await world.reap(now: now, limit: 40).failed.map(\.id)
            let all = rounds.flatMap { $0 } + last
            #expect(all.count == 40 && Set(all).count == 40)
        }
    }

    @Test func `the sweep hints what was forgotten, once`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let delayed = world.job(person, runAt: World.start.adding(seconds: 4))
            let jobs = [world.job(person), world.job(person), delayed]
            try await world.submit(jobs, by: person)
            func sweep(_ seconds: Int) async throws -> Set<JobID> {
                let now = World.start.adding(seconds: seconds)
                let hints = try await world.store.jobs.sweep(now: now, staleAfter: .seconds(3), limit: 100)
                return Set(hints.map(\.job))
            }
            #expect(try await sweep(2) == [])
            #expect(try await sweep(3) == [jobs[0].id, jobs[1].id])
            #expect(try await sweep(4) == [delayed.id])
            #expect(try await world.current(delayed.id).state == .queued)
            #expect(try await sweep(5) == [])
            #expect(try await sweep(6) == [jobs[0].id, jobs[1].id])
        }
    }

    @Test func `of a workspace only the first job is hinted, and none while one runs`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker(now: World.start.adding(seconds: 100))
            let jobs = (0..<3).map { world.job(person, workspace: .project, priority: 9 - $0) }
            try await world.submit(jobs, by: person)
            func sweep(_ seconds: Int) async throws -> [JobHint] {
                let now = World.start.adding(seconds: seconds)
                return try await world.store.jobs.sweep(now: now, staleAfter: .seconds(3), limit: 100)
            }
            let hints = try await sweep(10)
            #expect(hints.map(\.job) == [jobs[2].id] && hints.first?.placement == .anywhere)
            let running = try await world.claimOne(lease, now: World.start.adding(seconds: 10))
            #expect(try await sweep(20).isEmpty)
            _ = try await world.store.jobs.finish([running.end()], now: World.start.adding(seconds: 20))
            #expect(try await sweep(30).map(\.placement) == [.home(lease.worker)])
        }
    }

    @Test func `jobs whose home is away are blocked until it returns`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            _ = try await world.store.projects.setHome(person.project.id, lease.worker, scope: .system)
            let job = world.job(person, workspace: .project)
            try await world.submit([job, world.job(person)], by: person)
            func sweep(_ seconds: Int) async throws -> Set<JobID> {
                let now = World.start.adding(seconds: seconds)
                let hints = try await world.store.jobs.sweep(now: now, staleAfter: .seconds(3), limit: 100)
                return Set(hints.map(\.job))
            }
            #expect(try await sweep(40).contains(job.id))
            #expect(try await !sweep(60).contains(job.id))
            let blocked = try await world.current(job.id)
            #expect(blocked.state == .blocked && blocked.reason == .homeWorkerGone)
            _ = try await world.store.workers.openSession(
                lease.worker,
                resuming: lease.epoch,
                slots: 1,
                now: World.start.adding(seconds: 65)
            )
            #expect(try await sweep(70).contains(job.id))
            let back = try await world.current(job.id)
            #expect(back.state == .queued && back.reason == nil)
        }
    }

    @Test func `a lost queue is rebuilt from every queued job in order`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let jobs = try await world.submit(
                (0..<25).map { world.job(person, workspace: $0 % 2 == 0 ? .none : .project) },
                by: person
            )
            _ = try await world.claimOne(try await world.worker())
            var found: [JobID] = []
            while true {
                let page = try await world.store.jobs.queued(after: found.last, limit: 10)
                if page.isEmpty { break }
                found += page.map(\.job)
            }
            #expect(found.count == 24 && Set(found).count == 24)
            #expect(Set(found).isSubset(of: jobs.map(\.id)))
        }
    }

    @Test func `spent keys and tickets are forgotten`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            func submit() async throws -> Submission? {
                let new = NewJob(job: world.job(person), idempotencyKey: "k", requestHash: [1])
                return try await world.store.jobs.submit([new], scope: person.scope).first
            }
            _ = try await submit()
            _ = try await world.store.jobs.sweep(
                now: World.start.adding(seconds: 86_400),
                staleAfter: .seconds(3),
                limit: 9
            )
            guard case .repeated = try await submit() else {
                Issue.record("forgotten within a day")
                return
            }
            let later = World.start.adding(seconds: 3 * 86_400)
            _ = try await world.store.jobs.sweep(now: later, staleAfter: .seconds(3), limit: 9)
            guard case .created = try await submit() else {
                Issue.record("kept for ever")
                return
            }
        }
    }
}
