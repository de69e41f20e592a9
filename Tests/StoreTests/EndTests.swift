import Bytes
import Core
import Testing

@testable import Store

@Suite struct EndTests {
    @Test func `an end is written once, and its repeat gets the same answer`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person)], by: person)
            let job = try await world.claimOne(lease)
            #expect(try await world.store.jobs.markStarted(job.current, now: World.start.adding(seconds: 1)))
            #expect(try await world.store.jobs.markStarted(job.current, now: World.start.adding(seconds: 2)))
            #expect(try await world.store.log.append(records(1...4), to: job.current) == 4)
            let end = job.end(lastSeq: 4)
            let now = World.start.adding(seconds: 9)
            let written = try #require(try await world.store.jobs.finish([end], now: now).first?.job)
            #expect(written.state == .succeeded && written.finishedAt == now)
            #expect(written.startedAt == World.start.adding(seconds: 1))
            #expect(written.result == end.result && written.logEnd == end.logEnd)
            let repeated = try await world.store.jobs.finish([end], now: now.adding(seconds: 5)).first?.job
            #expect(repeated == written)
            #expect(try await world.current(job.id) == written)
            #expect(try await world.store.jobs.finish([job.end(.failed, lastSeq: 4)], now: now).first?.isStale == true)
            #expect(try await !world.store.jobs.markStarted(job.current, now: now))
        }
    }

    @Test func `an end whose log is not durable is refused until it is`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person), world.job(person)], by: person)
            let jobs = try await world.claim(lease, 2)
            await #expect(throws: StoreError.conflict(field: "log")) {
                try await world.store.jobs.finish([jobs[0].end(lastSeq: 2), jobs[1].end()], now: World.start)
            }
            #expect(try await world.current(jobs[0].id).state == .running)
            // The other one of the call is written; asking again says so.
            #expect(try await world.current(jobs[1].id).state == .succeeded)
            _ = try await world.store.log.append(records(1...2), to: jobs[0].current)
            let again = try await world.store.jobs.finish([jobs[0].end(lastSeq: 2), jobs[1].end()], now: World.start)
            #expect(again.map { $0.job?.state } == [.succeeded, .succeeded])
        }
    }

    @Test func `a stale end, of another attempt or an unknown job, changes nothing`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person)], by: person)
            let first = try await world.claimOne(lease)
            _ = try await world.store.jobs.release([first.current], now: World.start)
            let second = try await world.claimOne(lease)
            #expect(second.attempt == 2)
            var unknown = second
            unknown.id = JobID(at: World.start)
            let verdicts = try await world.store.jobs.finish(
                [first.end(), unknown.end(), second.end(.failed, reason: .exitCode)],
                now: World.start
            )
            #expect(verdicts.map(\.isStale) == [true, true, false])
            #expect(verdicts[2].job?.reasonText == "because exit_code")
            #expect(try await world.current(second.id).state == .failed)
        }
    }

    @Test func `ends that come at once are each answered for themselves`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit((0..<80).map { _ in world.job(person) }, by: person)
            let jobs = try await world.claim(lease, 80)
            #expect(jobs.count == 80)
            // The same end twice in one batch is written once and answered twice.
            let verdicts = try await world.atOnce(160) { index in
                var job = jobs[index / 2]
                if index / 2 % 8 == 3 { job.attempt += 1 }
                return try await world.store.jobs.finish([job.end()], now: World.start)[0]
            }
            for (index, verdict) in verdicts.enumerated() {
                #expect(verdict.isStale == (index / 2 % 8 == 3))
                if let job = verdict.job { #expect(job.id == jobs[index / 2].id) }
            }
            #expect(try await world.store.jobs.counts() == [.running: 10])
        }
    }

    @Test func `a failed attempt goes back while tries are left, and not after a cancel`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            let job = world.job(person, attempts: 2)
            try await world.submit([job], by: person)
            let first = try await world.claimOne(lease)
            let verdict = try #require(
                try await world.store.jobs.finish([first.end(.failed, reason: .exitCode)], now: World.start).first
            )
            let waiting = try #require(verdict.job)
            #expect(waiting.state == .queued && waiting.reason == .exitCode && waiting.workerID == nil)
            #expect(waiting.runAt == World.start.adding(seconds: 2))
            #expect(verdict.next.map(\.job) == [job.id])
            #expect(try await world.claim(lease).isEmpty)
            let second = try await world.claimOne(lease, now: waiting.runAt)
            #expect(second.attempt == 2 && second.reason == nil)
            let last = try await world.store.jobs.finish([second.end(.failed, reason: .exitCode)], now: waiting.runAt)
            #expect(last.first?.job?.state == .failed)

            let cancelled = world.job(person, attempts: 5)
            try await world.submit([cancelled], by: person)
            let running = try await world.claimOne(lease)
            _ = try await world.store.jobs.requestCancel(cancelled.id, scope: .system, now: World.start)
            let end = try await world.store.jobs.finish([running.end(.failed, reason: .signal)], now: World.start)
            #expect(end.first?.job?.state == .failed)
        }
    }

    @Test(arguments: [JobReason.sandboxRefused, .agentMissing, .authFailed, .limitReached])
    func `what would fail again is not tried again`(reason: JobReason) async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person, attempts: 5)], by: person)
            let job = try await world.claimOne(lease)
            let end = try await world.store.jobs.finish([job.end(.failed, reason: reason)], now: World.start)
            #expect(end.first?.job?.state == .failed)
        }
    }

    @Test func `an attempt that never began does not count, but not for ever`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person)], by: person)
            var now = World.start
            var states: [JobState] = []
            for _ in 0..<5 {
                guard let job = try await world.claim(lease, 1, now: now).first else { break }
                let end = job.end(.failed, reason: .internalError, didStart: false)
                let after = try #require(try await world.store.jobs.finish([end], now: now).first?.job)
                states.append(after.state)
                now = max(now, after.runAt)
                _ = try await world.store.workers.beat(lease, now: now)
            }
            #expect(states == [.queued, .queued, .queued, .failed])
        }
    }

    @Test func `released claims are queued again and not counted; a cancelled one ends`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person), world.job(person)], by: person)
            let jobs = try await world.claim(lease, 2)
            _ = try await world.store.jobs.requestCancel(jobs[1].id, scope: .system, now: World.start)
            var stale = jobs[0].current
            stale.attempt = 7
            let hints = try await world.store.jobs.release(jobs.map(\.current) + [stale], now: World.start)
            #expect(hints.map(\.job) == [jobs[0].id])
            #expect(try await world.current(jobs[1].id).state == .cancelled)
            let again = try await world.claimOne(lease)
            #expect(again.attempt == 2)
            // Counted once: this failure is the only try.
            let end = try await world.store.jobs.finish([again.end(.failed, reason: .exitCode)], now: World.start)
            #expect(end.first?.job?.state == .failed)
        }
    }

    @Test func `a cancel ends what waits, marks what runs and finds what is over`() async throws {
        try await withWorld { world in
            let (person, stranger) = (try await world.person(), try await world.person())
            let lease = try await world.worker()
            let jobs = [world.job(person), world.job(person), world.job(person, runAt: World.start.adding(seconds: 9))]
            try await world.submit(jobs, by: person)
            let running = try await world.claimOne(lease)
            let store = world.store.jobs
            func cancel(_ id: JobID, _ scope: Scope) async throws -> CancelOutcome? {
                try await store.requestCancel(id, scope: scope, now: World.start)
            }
            #expect(try await cancel(running.id, stranger.scope) == nil)
            for job in jobs where job.id != running.id {
                guard case .cancelled(let ended) = try await cancel(job.id, person.scope) else {
                    Issue.record("not cancelled")
                    continue
                }
                #expect(ended.state == .cancelled && ended.finishedAt == World.start)
                #expect(ended.reason == .cancelledByUser)
            }
            guard case .requested(let marked, let worker) = try await cancel(running.id, person.scope) else {
                Issue.record("not requested")
                return
            }
            #expect(marked.state == .running && worker == lease.worker)
            var foreign = running.current
            foreign.attempt = 9
            let found = try await store.reconcile([running.current, foreign], lease: lease)
            #expect(found.cancelled == [running.current] && found.stale == [foreign])
            let other = try await world.worker()
            #expect(try await store.reconcile([running.current], lease: other).stale == [running.current])
            _ = try await store.finish([running.end(.cancelled, reason: .cancelledByUser)], now: World.start)
            guard case .alreadyFinal(let over) = try await cancel(running.id, person.scope) else {
                Issue.record("not final")
                return
            }
            #expect(over.state == .cancelled)
            #expect(try await cancel(JobID(at: World.start), person.scope) == nil)
        }
    }
}
