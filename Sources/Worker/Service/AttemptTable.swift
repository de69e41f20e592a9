import Core
import Link
import Platform

/// All attempts this worker answers for, and the queue of those that have something to send.
///
/// Loop-confined.
final class AttemptTable {
    /// Slots of this worker.
    let slots: Int
    /// False while nothing new may be begun.
    var isOpen = true
    /// True while sandboxes cannot be made: what runs goes on, and nothing new is taken.
    var isPaused = false {
        didSet { onControlNews() }
    }
    private(set) var held: [AttemptID: HeldAttempt] = [:]
    /// Called when slots, starts or ends have something to say on the control socket.
    var onControlNews: () -> Void = {}
    /// Called when `nextReady` has something for the bulk socket.
    var onBulkNews: () -> Void = {}
    /// Called when an attempt's log can never be completed: the lease must be given up.
    var onUnprovable: () -> Void = {}
    /// Attempts to give back, not begun.
    private(set) var released: [AttemptID] = []

    private let directory: SpoolDirectory
    /// Brings the places of attempts that begin together to the disk in one flush.
    let places: GroupCommit
    private let budget: SpoolBudget
    private let surroundings: AttemptRunner.Surroundings
    private let report: (WorkerEvent) -> Void
    private var ready: [AttemptID] = []
    private var isReady: Set<AttemptID> = []

    /// An empty table.
    init(
        slots: Int,
        directory: SpoolDirectory,
        budget: SpoolBudget,
        surroundings: AttemptRunner.Surroundings,
        report: @escaping (WorkerEvent) -> Void
    ) {
        self.slots = slots
        self.directory = directory
        places = GroupCommit { try await directory.syncPlaces() }
        self.budget = budget
        self.surroundings = surroundings
        self.report = report
    }

    /// How many further jobs may be begun.
    var free: Int { isOpen && !isPaused ? max(0, slots - occupied) : 0 }

    /// Attempts that run.
    var occupied: Int { held.values.count { $0.occupiesSlot } }

    /// The attempts to name in `hello` and in beats.
    var attempts: [AttemptID] { Array(held.keys) }

    /// Takes what an earlier process left; it waits for the API's word on each.
    func adopt(_ recovered: RecoveredSpool) {
        let spool = AttemptSpool(
            recovered: recovered,
            directory: directory.place(recovered.attempt),
            budget: budget,
            loop: surroundings.loop
        )
        let attempt = hold(HeldAttempt(recovered.attempt, spool: spool, occupiesSlot: false))
        attempt.leftover = (recovered.tally, recovered.end)
        report(.recovered(recovered.attempt))
    }

    /// Begins an assignment; one that is held already is not begun again.
    func begin(_ assignment: JobAssignment) {
        guard held[assignment.attempt] == nil else { return }
        guard isOpen, !isPaused else {
            released.append(assignment.attempt)
            return onControlNews()
        }
        let spool = AttemptSpool(
            attempt: assignment.attempt,
            directory: directory.place(assignment.attempt),
            budget: budget,
            loop: surroundings.loop
        )
        let attempt = hold(HeldAttempt(assignment.attempt, spool: spool, occupiesSlot: true))
        let log = AttemptLog(spool: spool, loop: surroundings.loop, limit: surroundings.outputBytes)
        let runner = AttemptRunner(assignment, log: log, in: surroundings)
        attempt.runner = runner
        runner.onStart = { [weak self] in self?.onControlNews() }
        surroundings.loop.spawnLocal { [self] in await perform(attempt, runner) }
    }

    private func hold(_ attempt: HeldAttempt) -> HeldAttempt {
        held[attempt.attempt] = attempt
        attempt.spool.onUnsent = { [weak self] in self?.makeReady(attempt.attempt) }
        attempt.spool.onChange = { [weak self] in self?.spoolChanged(attempt.attempt) }
        return attempt
    }

    private func perform(_ attempt: HeldAttempt, _ runner: AttemptRunner) async {
        report(.began(attempt.attempt))
        // The sandbox is made meanwhile: both take milliseconds that a person waits for.
        var isPlaced = false
        let placed = LoopCondition()
        runner.placed = { while !isPlaced { await placed.wait() } }
        surroundings.loop.spawnLocal { [directory, places] in
            do {
                try await directory.create(attempt.attempt)
                try await places.commit()
            } catch {
                runner.stop(.spoolBroken("\(error)"))
            }
            isPlaced = true
            placed.signalAll()
        }
        let verdict = await runner.run()
        attempt.occupiesSlot = false
        switch verdict {
        case .ended(let end): await settle(attempt, end)
        case .released:
            released.append(attempt.attempt)
            await drop(attempt)
        case .discarded: await drop(attempt)
        }
        onControlNews()
    }

    private func settle(_ attempt: HeldAttempt, _ end: AttemptEnd) async {
        report(.ended(end.attempt, end.state, end.reason))
        do {
            try await directory.keep(end)
        } catch {
            // Only a restart before the acknowledgement would miss it: the end would then read as a loss.
            report(.storageFault("\(error)"))
        }
        attempt.end = end
        makeReady(attempt.attempt)
        onControlNews()
        _ = surroundings.loop.schedule(after: AttemptSpool.lagLimit) { [weak self] in
            self?.surroundings.loop.spawnLocal { await self?.makeEndDurable(attempt) }
        }
    }

    /// Forces an end that is not acknowledged to the disk, with the records that it counts.
    private func makeEndDurable(_ attempt: HeldAttempt) async {
        guard held[attempt.attempt] === attempt else { return }
        await attempt.spool.makeDurable()
        do {
            try await directory.syncEnd(attempt.attempt)
        } catch {
            if held[attempt.attempt] === attempt { report(.storageFault("\(error)")) }
        }
    }

    private func drop(_ attempt: HeldAttempt) async {
        held[attempt.attempt] = nil
        await attempt.spool.remove()
    }
}

// MARK: - What the API says

extension AttemptTable {
    /// Takes where an attempt's log stands at the API; one of an earlier process ends here.
    func resume(_ point: ResumePoint) {
        guard let attempt = held[point.attempt] else { return }
        attempt.spool.acknowledge(point.durable)
        guard let leftover = attempt.leftover else { return attempt.spool.rewind(to: point.durable + 1) }
        attempt.leftover = nil
        // More is stored than was found here: its digest cannot be told any more.
        guard point.durable <= leftover.tally.lastSeq, !attempt.spool.isLost else { return onUnprovable() }
        attempt.spool.rewind(to: point.durable + 1)
        surroundings.loop.spawnLocal { [self] in
            if let end = leftover.end, end.logEnd == leftover.tally.end {
                await settle(attempt, end)
            } else {
                await settle(attempt, loss(attempt, after: leftover.tally))
            }
        }
    }

    /// The end of an attempt whose process died with its worker.
    private func loss(_ attempt: HeldAttempt, after tally: LogTally) -> AttemptEnd {
        let text = "The worker was restarted while the job ran."
        let log = AttemptLog(spool: attempt.spool, after: tally, loop: surroundings.loop)
        log.note(text)
        var result = JobResult()
        result.isolation = surroundings.sandboxes.isolation
        return AttemptEnd(
            attempt: attempt.attempt,
            state: .failed,
            reason: .workerLost,
            reasonText: text,
            result: result,
            logEnd: log.finish(),
            didStart: true
        )
    }

    /// Cancels whatever runs for a job.
    func cancel(_ job: JobID) {
        for attempt in held.values where attempt.attempt.job == job { attempt.runner?.stop(.cancelled) }
    }

    /// Cancels an attempt.
    func cancel(_ attempt: AttemptID) { held[attempt]?.runner?.stop(.cancelled) }

    /// Kills and forgets an attempt that another one has replaced.
    func discard(_ id: AttemptID) {
        guard let attempt = held[id] else { return }
        if attempt.occupiesSlot {
            attempt.runner?.stop(.stale)
        } else {
            surroundings.loop.spawnLocal { [self] in await drop(attempt) }
        }
    }

    /// Takes the answers to reported ends: either way the attempt is over here.
    func finished(_ answers: [FinishAnswer]) {
        for answer in answers {
            guard let attempt = held[answer.attempt], attempt.end != nil else { continue }
            surroundings.loop.spawnLocal { [self] in
                await drop(attempt)
                onControlNews()
            }
        }
    }

    /// Ends everything that runs.
    func stopAll(_ stop: AttemptStop) {
        for attempt in held.values where attempt.occupiesSlot { attempt.runner?.stop(stop) }
    }

    /// Ends what waits for its sandbox or its workspace; what runs goes on.
    func stopUnstarted() {
        for attempt in held.values where attempt.occupiesSlot && attempt.runner?.hasStarted == false {
            attempt.runner?.stop(.shutdown)
        }
    }
}

// MARK: - What the sockets take

extension AttemptTable {
    /// Begins a new control socket: it is told everything that the former one was told.
    func resetControl() {
        for attempt in held.values {
            attempt.isStartTold = false
            attempt.isEndTold = false
        }
    }

    /// Begins a new bulk socket: everything that is not stored is sent again.
    func resetBulk() {
        for attempt in held.values {
            attempt.isEndMarked = false
            // What an earlier process left waits for the API's word.
            guard attempt.leftover == nil else { continue }
            attempt.spool.rewind(to: attempt.spool.durable + 1)
            makeReady(attempt.attempt)
        }
    }

    /// Reports ends again that were not acknowledged.
    func repeatEnds() {
        for attempt in held.values { attempt.isEndTold = false }
        onControlNews()
    }

    /// The messages that the control socket has not been told.
    func takeControlNews() -> [WorkerControlMessage] {
        var messages: [WorkerControlMessage] = []
        var ends: [AttemptEnd] = []
        for attempt in held.values {
            if !attempt.isStartTold, attempt.runner?.hasStarted == true {
                attempt.isStartTold = true
                messages.append(.started(attempt.attempt))
            }
            guard let end = attempt.reportableEnd, ends.count < LinkProtocol.endsPerMessage else { continue }
            attempt.isEndTold = true
            ends.append(end)
        }
        if !ends.isEmpty { messages.append(.finish(ends)) }
        if !released.isEmpty { messages.append(.release(released, reason: "the worker takes no jobs now")) }
        released = []
        return messages
    }

    /// The next attempt with something for the bulk socket, each in its turn.
    func nextReady() -> HeldAttempt? {
        while !ready.isEmpty {
            let id = ready.removeFirst()
            isReady.remove(id)
            if let attempt = held[id] { return attempt }
        }
        return nil
    }

    /// Puts an attempt at the end of the queue for the bulk socket.
    func makeReady(_ attempt: AttemptID) {
        if isReady.insert(attempt).inserted { ready.append(attempt) }
        onBulkNews()
    }

    private func spoolChanged(_ id: AttemptID) {
        guard let attempt = held[id] else { return }
        switch attempt.spool.failure {
        case .full: attempt.runner?.stop(.spoolFull)
        case .broken(let text): attempt.runner?.stop(.spoolBroken(text))
        case nil: break
        }
        if attempt.spool.isLost, attempt.leftover == nil { onUnprovable() }
        if attempt.reportableEnd != nil { onControlNews() }
    }
}
