import Bytes
import Core
import HTTP
import Link
import Platform

/// One control socket of a worker: claims, beats, ends and cancels.
final class ControlSession {
    private let services: Services
    private let worker: WorkerRecord
    private let channel: any WebSocketChannel
    private let outbox = LoopOutbox(limit: 4_096)
    private let ownership: AttemptOwnership
    private var lease: WorkerLease
    private var window = ClaimWindow()
    private let wake = LoopCondition()
    private var isClosed = false
    /// Attempts that the worker has: those of its hello, and those that were given on this socket.
    private var known: Set<AttemptID> = []
    /// Attempts that began, and when that was said, which the store could not take yet.
    private var begun: [AttemptID: Timestamp] = [:]
    private var isClaiming = false
    private var claims: UInt64 = 0
    private var wakeSubscription: (any BusSubscription)?
    private var cancelSubscription: (any BusSubscription)?
    private var removalSubscription: (any BusSubscription)?

    private let removals = LoopCondition()

    /// What a worker could not remove yet, or what it was not told of, is asked for this often.
    private static let removalInterval = Duration.seconds(30)
    /// Nothing wakes a claim when Redis is away, so PostgreSQL is asked this often.
    static let pollInterval = Duration.seconds(1)
    /// Pops in which nothing may run, before the session waits for a wake-up all the same.
    private static let popsPerClaim = 16

    init(services: Services, worker: WorkerRecord, channel: any WebSocketChannel) {
        self.services = services
        self.worker = worker
        self.channel = channel
        lease = WorkerLease(worker: worker.id, epoch: worker.epoch)
        ownership = AttemptOwnership(of: worker.id, jobs: services.jobs)
    }

    /// Serves the socket until it closes.
    func run() async {
        guard await greet() else { return }
        let loop = services.loop
        let opening = services.links.open(
            worker.id,
            ControlHandle(
                lease: lease,
                loop: loop,
                send: { [box = LoopReference(self, loop)] message in box.use { $0.outbox.put(message.encoded()) } },
                close: { [box = LoopReference(self, loop)] reason in box.use { $0.part(reason) } }
            )
        )
        wakeSubscription = services.bus.subscribe(BusChannel.wake) { [weak self] _ in self?.wake.signalAll() }
        cancelSubscription = services.bus.subscribe(BusChannel.worker(worker.id)) { [weak self] message in
            guard let message, let job = JobID(String(decoding: message, as: UTF8.self)) else { return }
            self?.outbox.put(APIControlMessage.cancel(job).encoded())
        }
        removalSubscription = services.bus.subscribe(BusChannel.removals) { [weak self] _ in
            self?.removals.signalAll()
        }
        loop.spawnLocal { await self.writeLoop() }
        loop.spawnLocal { await self.claimLoop() }
        loop.spawnLocal { await self.removalLoop() }
        await readLoop()
        isClosed = true
        removals.signalAll()
        wake.signalAll()
        outbox.close()
        wakeSubscription?.cancel()
        cancelSubscription?.cancel()
        removalSubscription?.cancel()
        // A session that was replaced must not shorten the lease of its successor.
        guard services.links.closeControl(worker.id, opening: opening) else { return }
        let grace = services.time.now.adding(LeaseTimes.linkGrace)
        try? await services.workers.shorten(lease, until: grace)
    }

    /// Takes the first message and answers it; false when the session cannot be.
    private func greet() async -> Bool {
        guard case .hello(let hello)? = await nextMessage() else { return false }
        guard hello.version == LinkProtocol.version else {
            await channel.close(code: LinkCloseCode.protocolError, reason: "unknown version \(hello.version)")
            return false
        }
        do {
            lease = try await services.workers.openSession(
                worker.id,
                resuming: hello.resuming,
                slots: hello.slots,
                now: services.time.now
            )
            let isResumed = lease.epoch == hello.resuming
            let owned = isResumed ? try await services.jobs.running(lease) : []
            let held = Set(hello.running)
            known = held
            let verdict = try await services.jobs.reconcile(hello.running, lease: lease)
            let unbegun = owned.filter { !held.contains($0) }
            if !unbegun.isEmpty {
                await services.queue.push(try await services.jobs.release(unbegun, now: services.time.now))
            }
            var resume: [ResumePoint] = []
            for attempt in hello.running where !verdict.stale.contains(attempt) {
                resume.append(ResumePoint(attempt: attempt, durable: try await services.log.durable(attempt)))
            }
            let welcome = WelcomeMessage(
                lease: lease,
                timeToLiveMilliseconds: LeaseTimes.timeToLive.wholeMilliseconds,
                heartbeatMilliseconds: LeaseTimes.heartbeatInterval.wholeMilliseconds,
                resume: resume,
                cancelled: verdict.cancelled,
                stale: verdict.stale
            )
            try await channel.send(text: APIControlMessage.welcome(welcome).encoded())
            return true
        } catch {
            await channel.close(code: 1013, reason: "the store is not available, try again")
            return false
        }
    }

    private func nextMessage() async -> WorkerControlMessage? {
        guard let message = try? await channel.receive(), case .text(let text) = message else { return nil }
        do throws(LinkError) {
            return try WorkerControlMessage(decoding: Array(text.utf8))
        } catch {
            await channel.close(code: LinkCloseCode.protocolError, reason: error.description)
            return nil
        }
    }

    private func readLoop() async {
        while let message = await nextMessage() {
            do {
                try await take(message)
            } catch {
                // The worker repeats what was not acknowledged; a store that is away must not end the session.
                continue
            }
        }
    }

    private func take(_ message: WorkerControlMessage) async throws {
        switch message {
        case .hello:
            await channel.close(code: LinkCloseCode.protocolError, reason: "hello came twice")
        case .claim(let free, let received):
            guard window.claim(free: free, received: received) else {
                return await channel.close(code: LinkCloseCode.protocolError, reason: "claim counts more than was sent")
            }
            wake.signalAll()
        case .beat(let serial, let running):
            guard try await services.workers.beat(lease, now: services.time.now) else { return part(.leaseLost) }
            let verdict = try await services.jobs.reconcile(running, lease: lease)
            outbox.put(
                APIControlMessage.beatAck(serial: serial, cancelled: verdict.cancelled, stale: verdict.stale).encoded()
            )
            await markBegun()
            try await releaseLost()
        case .started(let attempt):
            // The worker says it once: should the store be away, it is marked with a later beat.
            guard known.contains(attempt) else { return }
            begun[attempt] = services.time.now
            await markBegun()
        case .finish(let ends):
            await markBegun()
            try await finish(ends)
        case .release(let attempts, _):
            var own: [AttemptID] = []
            // The worker says it once: should the store be away, what it has no more is given back with a later beat.
            known.subtract(attempts)
            for attempt in attempts { begun[attempt] = nil }
            for attempt in attempts where try await ownership.contains(attempt) { own.append(attempt) }
            await services.queue.push(try await services.jobs.release(own, now: services.time.now))
        case .workspaceDone(let transfer, let outcome):
            services.links.transfer(transfer, of: worker.id)?.settle(outcome)
        case .removed(let projects): try await services.endings.removed(projects, by: worker.id)
        }
    }

    /// Marks the attempts that began, each at the time at which the worker said so.
    private func markBegun() async {
        for (attempt, moment) in begun {
            do throws(StoreError) {
                if try await ownership.contains(attempt), try await services.jobs.markStarted(attempt, now: moment) {
                    services.bus.publish(BusChannel.job(attempt.job), [])
                }
            } catch .unavailable {
                return
            } catch {
                // What is refused now is refused always.
            }
            begun[attempt] = nil
        }
    }

    /// Gives back what was claimed for this lease and never reached the worker: a socket that it had left took it along.
    private func releaseLost() async throws {
        let before = claims
        guard !isClaiming else { return }
        let owned = try await services.jobs.running(lease)
        // A claim under way is not known yet.
        guard !isClaiming, claims == before, !isClosed else { return }
        known.formIntersection(owned)
        let lost = owned.filter { !known.contains($0) }
        if !lost.isEmpty {
            await services.queue.push(try await services.jobs.release(lost, now: services.time.now))
        }
    }

    private func finish(_ ends: [AttemptEnd]) async throws {
        var answers: [FinishAnswer] = []
        var hints: [JobHint] = []
        var own: [AttemptEnd] = []
        for end in ends {
            if try await ownership.contains(end.attempt) {
                own.append(end)
            } else {
                answers.append(FinishAnswer(attempt: end.attempt, verdict: .stale))
            }
        }
        for (end, verdict) in try await settle(own) {
            switch verdict {
            case .accepted(_, let next):
                answers.append(FinishAnswer(attempt: end.attempt, verdict: .accepted))
                hints += next
                services.bus.publish(BusChannel.job(end.attempt.job), [])
            case .stale:
                answers.append(FinishAnswer(attempt: end.attempt, verdict: .stale))
            }
        }
        outbox.put(APIControlMessage.finished(answers).encoded())
        if !hints.isEmpty { await services.queue.push(hints) }
    }

    /// Ends attempts together, or one by one when one of them cannot be written and would hold the others up.
    private func settle(_ ends: [AttemptEnd]) async throws(StoreError) -> [(AttemptEnd, EndVerdict)] {
        do throws(StoreError) {
            return Array(zip(ends, try await services.jobs.finish(ends, now: services.time.now)))
        } catch {
            guard case .conflict = error, ends.count > 1 else { throw error }
        }
        var settled: [(AttemptEnd, EndVerdict)] = []
        for end in ends {
            // What is refused here is not answered: its worker sends it again once its log is whole.
            guard let verdict = try? await services.jobs.finish([end], now: services.time.now).first else { continue }
            settled.append((end, verdict))
        }
        return settled
    }

    private func writeLoop() async {
        while let message = await outbox.next() {
            do { try await channel.send(text: message) } catch { return }
        }
        await channel.close(code: LinkCloseCode.goingAway, reason: "")
    }

    private func part(_ reason: GoodbyeReason) {
        outbox.put(APIControlMessage.goodbye(reason).encoded())
        outbox.close()
        isClosed = true
        removals.signalAll()
        wake.signalAll()
    }

    /// Has the worker remove the workspaces of projects that are no more, until it says that they are gone.
    private func removalLoop() async {
        while !isClosed {
            let projects = try? await services.endings.removals(of: worker.id, limit: LinkProtocol.removals)
            if let projects, !projects.isEmpty { outbox.put(APIControlMessage.remove(projects).encoded()) }
            _ = await removals.wait(timeout: ControlSession.removalInterval, on: services.loop)
        }
    }
}

extension ControlSession {
    /// Gives jobs while the worker's standing request leaves room: by Redis's hints, or by PostgreSQL without them.
    private func claimLoop() async {
        while !isClosed {
            let free = min(window.available, LinkProtocol.attempts)
            if free > 0, let claimed = try? await claim(free), !claimed.isEmpty, await assign(claimed) { continue }
            guard !isClosed else { return }
            _ = await wake.wait(timeout: ControlSession.pollInterval, on: services.loop)
        }
    }

    /// Sends claimed jobs with the models that they are granted; false when there was none to send.
    private func assign(_ claimed: [ClaimedJob]) async -> Bool {
        let attempts = claimed.map { AttemptID(job: $0.job.id, attempt: $0.job.attempt) }
        // Known before their models are looked up: a beat in between must not take them for lost.
        known.formUnion(attempts)
        let models = await ModelGrants(claimed, services)
        let given = isClosed ? [] : claimed.filter { !models.undecided.contains($0.job.id) }
        if !given.isEmpty {
            let assignments = given.map { assignment($0.job, models.grants[$0.job.id]) }
            window.assigned(given.count)
            ownership.note(assignments.map(\.attempt))
            for message in APIControlMessage.claims(assignments) { outbox.put(message.encoded()) }
            for job in given { services.bus.publish(BusChannel.job(job.job.id), []) }
        }
        let sent = Set(given.map(\.job.id))
        let returned = attempts.filter { !sent.contains($0.job) }
        if !returned.isEmpty {
            known.subtract(returned)
            let hints = try? await services.jobs.release(returned, now: services.time.now)
            await services.queue.push(hints ?? [])
        }
        return !given.isEmpty
    }

    private func claim(_ free: Int) async throws -> [ClaimedJob] {
        claims += 1
        isClaiming = true
        defer { isClaiming = false }
        let classes: [PlacementClass] = [.home(worker.id), .anywhere]
        for _ in 0..<ControlSession.popsPerClaim {
            switch await services.queue.pop(classes: classes, limit: free) {
            case .jobs(let candidates) where candidates.isEmpty: return []
            case .jobs(let candidates):
                let claimed = try await services.jobs.claim(
                    candidates: candidates,
                    lease: lease,
                    limit: free,
                    now: services.time.now
                )
                // None of them may run now, such as those of a team at its limit: behind them may be others.
                if !claimed.isEmpty { return claimed }
            case .lost:
                return try await services.jobs.claim(candidates: nil, lease: lease, limit: free, now: services.time.now)
            }
        }
        return []
    }

    private func assignment(_ job: Job, _ model: ModelGrant?) -> JobAssignment {
        JobAssignment(
            attempt: AttemptID(job: job.id, attempt: job.attempt),
            project: job.projectID,
            workspace: job.workspace,
            policy: job.policy,
            work: job.work,
            timeoutSeconds: job.timeoutSeconds,
            model: model
        )
    }
}
