import Agents
import Core
import Glibc
import Platform

/// An agent or a command while it runs: moves bytes between the process, its machine and the log.
///
/// Loop-confined. The machine is a value; everything that touches it happens on the loop, one event at a time.
final class RunningProcess {
    private let process: any SandboxProcess
    private let sandbox: any OpenSandbox
    private let log: AttemptLog
    private let loop: EventLoop
    private let times: AttemptTimes
    private var machine: any AgentMachine
    private let changed = LoopCondition()
    private var input: [[UInt8]] = []
    private var inputBytes = 0
    private var inputEnds = false
    private var openStreams = 2
    private var exit: AgentExit?
    private var ticker: LoopTimer?
    /// Answers that a process has asked for and not read; above any number of questions asked at once.
    private static let inputLimit = 16 << 20
    /// Called when the machine wants the process ended.
    var onStop: (AttemptStop) -> Void = { _ in }

    /// Takes over a process that was just started.
    init(
        _ process: any SandboxProcess,
        in sandbox: any OpenSandbox,
        plan: AgentPlan,
        log: AttemptLog,
        loop: EventLoop,
        times: AttemptTimes
    ) {
        self.process = process
        self.sandbox = sandbox
        self.log = log
        self.loop = loop
        self.times = times
        machine = plan.machine
        if !plan.launch.firstInput.isEmpty { input = [plan.launch.firstInput] }
        inputEnds = plan.launch.closesInputAfterFirst
    }

    /// Runs until the process and everything it left are gone; the output is then all in the log.
    func run() async -> AgentExit {
        loop.spawnLocal { [self] in await feedInput() }
        loop.spawnLocal { [self] in
            await read {
                await self.process.readOutput()
            } take: {
                $0.receive(stdout: $1)
            }
        }
        loop.spawnLocal { [self] in
            await read {
                await self.process.readErrors()
            } take: {
                $0.receive(stderr: $1)
            }
        }
        tick()
        let exit = await process.wait()
        self.exit = exit
        changed.signalAll()
        ticker?.cancel()
        // What the process left behind must not outlive the job, nor hold the pipes open.
        await sandbox.destroy()
        await waitForStreams()
        apply(machine.outputEnded())
        process.closePipes()
        return exit
    }

    /// Judges the attempt.
    func outcome(_ exit: AgentExit, because reason: JobReason?) -> AgentOutcome {
        machine.outcome(exit: exit, killedBecause: reason)
    }

    /// Ends the process: politely first, then by signal, then with its whole sandbox.
    func end(politely: Bool) async {
        if politely {
            let actions = machine.interrupt()
            if !actions.isEmpty {
                apply(actions)
                await waitForExit(times.interruptGrace)
            }
            if exit == nil {
                await process.signal(SIGTERM)
                await waitForExit(times.terminateGrace)
            }
        }
        if exit == nil { await sandbox.destroy() }
    }

    private func waitForExit(_ limit: Duration) async {
        let deadline = loop.now.advanced(by: limit)
        while exit == nil, loop.now < deadline {
            _ = await changed.wait(timeout: deadline - loop.now, on: loop)
        }
    }

    private func waitForStreams() async {
        // Readers that wait for room in the spool take as long as they need; only silence is suspicious.
        var deadline = loop.now.advanced(by: times.drainLimit)
        while openStreams > 0 {
            if await changed.wait(timeout: deadline - loop.now, on: loop) {
                deadline = loop.now.advanced(by: times.drainLimit)
            } else if !log.spool.isCrowded {
                log.note("The job's output did not end with the job; it may be incomplete.")
                return process.closePipes()
            } else {
                deadline = loop.now.advanced(by: times.drainLimit)
            }
        }
    }

    private func read(
        _ next: () async -> [UInt8],
        take: (inout any AgentMachine, [UInt8]) -> [AgentAction]
    ) async {
        while true {
            let bytes = await next()
            guard !bytes.isEmpty else { break }
            apply(take(&machine, bytes))
            if exit != nil { changed.signalAll() }
            await log.spool.waitForRoom()
        }
        openStreams -= 1
        changed.signalAll()
    }

    private func feedInput() async {
        var isOpen = true
        while exit == nil {
            if !input.isEmpty {
                let bytes = input.removeFirst()
                inputBytes = max(0, inputBytes - bytes.count)
                // A program that does not read its input is its own affair; the queue is still emptied.
                if isOpen { isOpen = await process.write(bytes) }
            } else if inputEnds {
                break
            } else {
                await changed.wait()
            }
        }
        process.closeInput()
    }

    private func tick() {
        guard exit == nil else { return }
        apply(machine.tick(now: loop.now))
        ticker = loop.schedule(after: times.tick) { [weak self] in self?.tick() }
    }

    private func apply(_ actions: [AgentAction]) {
        for action in actions {
            switch action {
            case .record(let stream, let bytes): log.write(stream, bytes)
            case .answer(let text): log.write(.stdout, Array(text.utf8))
            case .send(let bytes):
                guard inputBytes + bytes.count <= Self.inputLimit else {
                    onStop(.agent(.agentFailed, "The agent asks without reading the answers."))
                    continue
                }
                inputBytes += bytes.count
                input.append(bytes)
                changed.signalAll()
            case .closeInput:
                inputEnds = true
                changed.signalAll()
            case .ended: break
            case .stop(let reason, let text): onStop(.agent(reason, text))
            }
        }
    }
}
