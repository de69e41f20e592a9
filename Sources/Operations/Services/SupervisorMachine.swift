package import Platform

/// The supervisor's decisions as a value: events and times go in, actions come out.
///
/// Services start in order, each when the one before is ready, and stop in the reverse order. One that dies is started
/// again alone: the others meet it again by their own reconnecting.
package struct SupervisorMachine: Sendable {
    /// What the driver is to do.
    package enum Action: Hashable, Sendable {
        /// Start the service's program and tell the outcome under this launch number.
        case launch(Int, number: Int)
        /// Ask until the service is ready, or this launch is over.
        case probe(Int, number: Int)
        /// Signal the service's program.
        case signal(Int, Int32)
        /// Write to the log.
        case report(SupervisorEvent)
        /// All services are ready.
        case started
        /// A service never became ready.
        case gaveUp(Int)
        /// All services have ended.
        case finished
    }

    private enum Phase: Hashable, Sendable {
        case waiting
        case launching
        case starting(deadline: Instant)
        case running(since: Instant)
        case backingOff(until: Instant)
        case stopping(killAt: Instant?)
        case stopped
    }

    private struct Entry: Sendable {
        let policy: ServicePolicy
        var phase = Phase.waiting
        var launches = 0
        var failures = 0
        var wasReady = false
        /// It is being killed because it was not ready in time.
        var isOverdue = false
    }

    private let backOff: BackOff
    private var entries: [Entry]
    private var isStopping = false
    private var hasReportedStart = true

    /// Plans for services, none of which runs yet.
    package init(_ policies: [ServicePolicy], backOff: BackOff = BackOff()) {
        self.backOff = backOff
        entries = policies.map { Entry(policy: $0) }
    }

    /// When `timePassed` is due next, nil when nothing waits for time.
    package var nextDeadline: Instant? {
        entries.compactMap { entry in
            switch entry.phase {
            case .starting(let deadline): deadline
            case .backingOff(let until): until
            case .stopping(let killAt): killAt
            case .waiting, .launching, .running, .stopped: nil
            }
        }.min()
    }

    /// Adds a service behind the others; it starts with the next `start`.
    package mutating func append(_ policy: ServicePolicy) {
        entries.append(Entry(policy: policy))
    }

    /// Starts what was never started.
    package mutating func start() -> [Action] {
        hasReportedStart = false
        return continueStarting()
    }

    /// The program runs.
    package mutating func launched(_ index: Int, at now: Instant) -> [Action] {
        guard entries[index].phase == .launching else { return [] }
        if isStopping { return stopOne(index, at: now) }
        entries[index].phase = .starting(deadline: now.advanced(by: entries[index].policy.readyTimeout))
        return [.probe(index, number: entries[index].launches)]
    }

    /// The program could not be started.
    package mutating func launchFailed(_ index: Int, _ reason: String, at now: Instant) -> [Action] {
        guard entries[index].phase == .launching else { return [] }
        return ended(index, reason, at: now)
    }

    /// The service answered.
    package mutating func becameReady(_ index: Int, number: Int, at now: Instant) -> [Action] {
        guard case .starting = entries[index].phase, entries[index].launches == number else { return [] }
        entries[index].phase = .running(since: now)
        entries[index].wasReady = true
        return [.report(.ready(entries[index].policy.name))] + continueStarting()
    }

    /// The program has ended.
    package mutating func exited(_ index: Int, _ status: ExitStatus, at now: Instant) -> [Action] {
        let reason =
            switch status {
            case .exited(let code): "exited with code \(code)"
            case .signaled(let number): "was ended by signal \(number)"
            }
        return ended(index, reason, at: now)
    }

    /// Begins to stop, the last service first.
    package mutating func stop(at now: Instant) -> [Action] {
        guard !isStopping else { return [] }
        isStopping = true
        return continueStopping(at: now)
    }

    /// Does what is due.
    package mutating func timePassed(at now: Instant) -> [Action] {
        var actions: [Action] = []
        for index in entries.indices {
            switch entries[index].phase {
            case .starting(let deadline) where deadline <= now:
                actions.append(.report(.notReady(entries[index].policy.name)))
                actions.append(.signal(index, Self.kill))
                // Its end counts as the failure; until then there is nothing to wait for but that.
                entries[index].isOverdue = true
                entries[index].phase = .running(since: now)
            case .backingOff(let until) where until <= now:
                actions += launch(index)
            case .stopping(let killAt?) where killAt <= now:
                actions.append(.report(.killed(entries[index].policy.name)))
                actions.append(.signal(index, Self.kill))
                entries[index].phase = .stopping(killAt: nil)
            case .waiting, .launching, .starting, .running, .backingOff, .stopping, .stopped:
                break
            }
        }
        return actions
    }

    private static let kill: Int32 = 9

    private mutating func launch(_ index: Int) -> [Action] {
        entries[index].phase = .launching
        entries[index].launches += 1
        return [.launch(index, number: entries[index].launches)]
    }

    private mutating func continueStarting() -> [Action] {
        guard !isStopping else { return [] }
        guard let next = entries.firstIndex(where: { !$0.wasReady }) else {
            defer { hasReportedStart = true }
            return hasReportedStart ? [] : [.started]
        }
        return entries[next].phase == .waiting ? launch(next) : []
    }

    private mutating func ended(_ index: Int, _ reason: String, at now: Instant) -> [Action] {
        let name = entries[index].policy.name
        let reason = entries[index].isOverdue ? "was not ready in time" : reason
        entries[index].isOverdue = false
        if isStopping {
            entries[index].phase = .stopped
            return [.report(.stopped(name))] + continueStopping(at: now)
        }
        if case .running(let since) = entries[index].phase, now - since >= backOff.healthyAfter {
            entries[index].failures = 0
        }
        entries[index].failures += 1
        if !entries[index].wasReady, entries[index].failures >= backOff.startAttempts {
            entries[index].phase = .stopped
            return [.report(.failed(name, reason: reason, retryIn: nil)), .gaveUp(index)]
        }
        let delay = backOff.delay(failures: entries[index].failures)
        entries[index].phase = .backingOff(until: now.advanced(by: delay))
        return [.report(.failed(name, reason: reason, retryIn: delay))]
    }

    private mutating func continueStopping(at now: Instant) -> [Action] {
        for index in entries.indices.reversed() {
            switch entries[index].phase {
            case .stopped: continue
            case .waiting, .backingOff: entries[index].phase = .stopped
            case .launching, .stopping: return []
            case .starting, .running: return stopOne(index, at: now)
            }
        }
        return [.finished]
    }

    private mutating func stopOne(_ index: Int, at now: Instant) -> [Action] {
        let policy = entries[index].policy
        entries[index].phase = .stopping(killAt: now.advanced(by: policy.grace))
        return [.signal(index, policy.stopSignal)]
    }
}

/// What the supervisor tells the log.
package enum SupervisorEvent: Hashable, Sendable {
    /// The service answers.
    case ready(String)
    /// It did not answer in time and is killed.
    case notReady(String)
    /// It ended or could not be started; nil when it is not tried again.
    case failed(String, reason: String, retryIn: Duration?)
    /// It ended as it was asked to.
    case stopped(String)
    /// It did not end in time and is killed.
    case killed(String)
}
