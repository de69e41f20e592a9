import Agents
import Bytes
import Core
import Crypto
import Link
import Platform

/// What becomes of an attempt.
enum AttemptVerdict {
    case ended(AttemptEnd)
    /// It was never begun and goes back to the queue.
    case released
    /// Another attempt owns the job.
    case discarded
}

/// Runs one attempt from its assignment to its end; loop-confined.
final class AttemptRunner {
    /// What the runner needs around it.
    struct Surroundings {
        let loop: EventLoop
        let sandboxes: any SandboxHost
        let shelf: ProjectShelf
        /// The version of the agent's CLI; nil when none is installed.
        let agentVersion: String?
        var times = AttemptTimes()
        /// Output that an attempt may write.
        var outputBytes = Int.max
    }

    /// What is to be done; without its model once the attempt is over.
    private(set) var assignment: JobAssignment
    private let surroundings: Surroundings
    private let log: AttemptLog
    private var stop: AttemptStop?
    private var running: RunningProcess?
    /// True once the program was executed.
    private(set) var hasStarted = false
    /// Called when the program was executed.
    var onStart: () -> Void = {}
    /// Returns when the spool has its place on disk; a program begins only then.
    var placed: () async -> Void = {}

    /// Prepares to run an assignment.
    init(_ assignment: JobAssignment, log: AttemptLog, in surroundings: Surroundings) {
        self.assignment = assignment
        self.surroundings = surroundings
        self.log = log
        log.onLimit = { [weak self] in self?.stop(.outputLimit) }
    }

    /// Runs the attempt.
    func run() async -> AttemptVerdict {
        // The end may wait long for its acknowledgement; the key does not wait with it.
        defer { assignment.model = nil }
        let end: AttemptEnd
        do throws(AttemptFault) {
            end = try await perform()
        } catch {
            await placed()
            if stop?.givesBack == true || error.isHostGone { return .released }
            end = finish(
                error.outcome(isolation: surroundings.sandboxes.isolation),
                didStart: error.countsAsStart
            )
        }
        return stop == .stale ? .discarded : .ended(end)
    }

    /// Ends the attempt; the first reason stands, but an immediate one still hastens the end.
    func stop(_ stop: AttemptStop) {
        let isFirst = self.stop == nil
        if isFirst || stop == .stale { self.stop = stop }
        guard isFirst || stop.isImmediate else { return }
        // What was never begun goes back as if it had never been here.
        if isFirst, running != nil || !stop.givesBack { log.note(stop.note) }
        guard let running else { return surroundings.shelf.reconsider() }
        surroundings.loop.spawnLocal { await running.end(politely: !stop.isImmediate) }
    }

    private func perform() async throws(AttemptFault) -> AttemptEnd {
        let plan = try plan()
        var workspace = SandboxWorkspace.ephemeral
        if assignment.workspace == .project {
            let project = try await enterProject()
            workspace = .project(project, readOnly: false)
        }
        defer { if assignment.workspace == .project { surroundings.shelf.leave(assignment.project) } }
        try checkStop()
        let sandbox = try await openSandbox(workspace)
        do throws(AttemptFault) {
            await placed()
            try checkStop()
            return try await execute(plan, in: sandbox)
        } catch {
            await sandbox.destroy()
            throw error
        }
    }

    private func execute(_ plan: PlannedAttempt, in sandbox: any OpenSandbox) async throws(AttemptFault) -> AttemptEnd {
        let launch = plan.plan.launch
        let program = SandboxProgram(
            arguments: launch.arguments,
            environment: launch.environment,
            workingDirectory: launch.workingDirectory,
            takesInput: !launch.firstInput.isEmpty || !launch.closesInputAfterFirst
        )
        let process: any SandboxProcess
        do throws(SandboxRefusal) {
            if let grant = assignment.model { try sandbox.serveModel(grant, token: plan.token) }
            process = try await sandbox.run(program)
        } catch {
            throw .sandbox(error, program: launch.arguments.first ?? "")
        }
        let started = surroundings.loop.now
        hasStarted = true
        let running = RunningProcess(
            process,
            in: sandbox,
            plan: plan.plan,
            log: log,
            loop: surroundings.loop,
            times: surroundings.times
        )
        // A stop that came while the program was being executed has found nothing to end yet.
        let early = stop
        self.running = running
        running.onStop = { [weak self] stop in self?.stop(stop) }
        onStart()
        if let early { surroundings.loop.spawnLocal { await running.end(politely: !early.isImmediate) } }
        let limit = assignment.timeoutSeconds.map { seconds in
            surroundings.loop.schedule(after: .seconds(seconds)) { [weak self] in
                self?.stop(.timedOut(seconds: seconds))
            }
        }
        let exit = await running.run()
        limit?.cancel()
        self.running = nil
        var outcome = running.outcome(exit, because: stop?.reason)
        let elapsed = (surroundings.loop.now - started).components
        let milliseconds = elapsed.seconds * 1_000 + elapsed.attoseconds / 1_000_000_000_000_000
        outcome.result.durationMilliseconds = outcome.result.durationMilliseconds ?? milliseconds
        return finish(outcome, didStart: true)
    }

    private func finish(_ outcome: AgentOutcome, didStart: Bool) -> AttemptEnd {
        var result = outcome.result
        result.isolation = surroundings.sandboxes.isolation
        if case .claude = assignment.work { result.agentVersion = result.agentVersion ?? surroundings.agentVersion }
        if !hasStarted, let text = outcome.reasonText, stop == nil { log.note(text) }
        return AttemptEnd(
            attempt: assignment.attempt,
            state: outcome.state,
            reason: outcome.reason,
            reasonText: outcome.reasonText.map { $0.cut(toBytes: LinkProtocol.textBytes) },
            result: result.fitForLink,
            logEnd: log.finish(),
            didStart: didStart
        )
    }
}

// MARK: - Steps

extension AttemptRunner {
    private struct PlannedAttempt {
        var plan: AgentPlan
        /// What the model route of this attempt accepts; it dies with the attempt.
        var token: String
    }

    private func plan() throws(AttemptFault) -> PlannedAttempt {
        if case .claude = assignment.work {
            guard surroundings.agentVersion != nil else { throw .agentMissing }
            guard assignment.model != nil else { throw .noModel }
        }
        let token = Base64.encodeURL(SecureRandom.bytes(32))
        do throws(AgentRefusal) {
            let plan = try AgentPlan.make(work: assignment.work, policy: assignment.policy, modelToken: token)
            return PlannedAttempt(plan: plan, token: token)
        } catch {
            throw .refused(error.description)
        }
    }

    private func enterProject() async throws(AttemptFault) -> PlacedProject {
        do throws(ShelfError) {
            if let project = try await surroundings.shelf.enter(assignment.project, while: { stop == nil }) {
                return project
            }
        } catch {
            throw .workspace(error)
        }
        throw .stopped(stop ?? .cancelled)
    }

    private func openSandbox(_ workspace: SandboxWorkspace) async throws(AttemptFault) -> any OpenSandbox {
        let id = "\(assignment.attempt.job)-\(assignment.attempt.attempt)"
        do throws(SandboxRefusal) {
            return try await surroundings.sandboxes.open(id, on: workspace, hasModel: assignment.model != nil)
        } catch {
            throw .sandbox(error, program: "")
        }
    }

    private func checkStop() throws(AttemptFault) {
        if let stop { throw .stopped(stop) }
    }
}
