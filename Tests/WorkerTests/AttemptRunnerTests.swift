import Agents
import Core
import Link
import Platform
import Testing

@testable import Worker

/// One attempt with everything around it.
private final class Stage {
    let loop: EventLoop
    let sandboxes: FakeSandboxes
    let spool: AttemptSpool
    let runner: AttemptRunner
    let shelf: ProjectShelf

    init(
        _ loop: EventLoop,
        _ path: String,
        _ assignment: JobAssignment = Assignments.command(),
        agentVersion: String? = "2.1.0",
        spoolBytes: Int = 1 << 20,
        outputBytes: Int = .max,
        script: @escaping (FakeProcess) -> Void = { $0.end(.exited(0)) }
    ) async throws {
        self.loop = loop
        sandboxes = FakeSandboxes(script)
        shelf = try ProjectShelf(path: path + "/projects.json", users: 4, sandboxes: sandboxes)
        let directory = SpoolDirectory(path: path + "/spool")
        try await directory.create(assignment.attempt)
        spool = AttemptSpool(
            attempt: assignment.attempt,
            directory: directory.place(assignment.attempt),
            budget: SpoolBudget(limit: spoolBytes),
            loop: loop
        )
        var surroundings = AttemptRunner.Surroundings(
            loop: loop,
            sandboxes: sandboxes,
            shelf: shelf,
            agentVersion: agentVersion
        )
        surroundings.times.interruptGrace = .milliseconds(50)
        surroundings.times.terminateGrace = .milliseconds(50)
        let log = AttemptLog(spool: spool, loop: loop, limit: outputBytes)
        runner = AttemptRunner(assignment, log: log, in: surroundings)
        spool.onChange = { [weak self] in
            guard let self, self.spool.failure == .full else { return }
            self.runner.stop(.spoolFull)
        }
    }

    /// Runs the attempt, which must have an end.
    func end() async throws -> AttemptEnd {
        guard case .ended(let end) = await runner.run() else {
            throw Unexpected("the attempt has no end")
        }
        // The writer must not be at work any more when the directory goes.
        let isSettled = await eventually(on: loop) { spool.isSettled }
        try #require(isSettled)
        return end
    }

    /// The text of one stream.
    func text(_ stream: LogStream) async -> String {
        spool.rewind(to: 1)
        var bytes: [UInt8] = []
        while !spool.isSent, await eventually(on: loop, { spool.hasUnsent }), let frames = await spool.takeUnsent() {
            for record in LogRecordCodec.decode(frames) ?? [] where record.stream == stream { bytes += record.bytes }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A test met something it did not expect.
struct Unexpected: Error {
    let text: String

    init(_ text: String) { self.text = text }
}

@Suite struct AttemptRunnerTests {
    @Test func `a command's output, input and exit arrive`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path) { process in
                process.print("hello\n")
                process.complain("oops\n")
                process.onInputClosed = { process.end(.exited(0)) }
            }
            let end = try await stage.end()
            #expect(end.state == .succeeded)
            #expect(end.didStart)
            #expect(end.result.exitCode == 0)
            #expect(end.result.isolation == "fake")
            #expect(end.result.durationMilliseconds != nil)
            #expect(end.logEnd.lastSeq == stage.spool.lastSeq)
            #expect(await stage.text(.stdout) == "hello\n")
            #expect(await stage.text(.stderr) == "oops\n")
            let process = try #require(stage.sandboxes.processes.first)
            #expect(process.input == Array("in".utf8))
            #expect(process.program.arguments == ["tool", "x"])
            #expect(process.program.environment.contains { $0 == ("A", "1") })
            #expect(stage.sandboxes.opened.first?.isDestroyed == true)
        }
    }

    @Test func `output of what the command left behind is kept, then it is ended`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path) { process in
                process.print("before\n")
                process.end(.exited(3), leavesChildren: true)
                process.print("after\n")
            }
            let end = try await stage.end()
            #expect(end.state == .failed)
            #expect(end.reason == .exitCode)
            #expect(end.result.exitCode == 3)
            #expect(await stage.text(.stdout) == "before\nafter\n")
        }
    }

    @Test func `a refused sandbox names its step and does not count as a start`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path)
            stage.sandboxes.openRefusal = SandboxRefusal(
                step: "identity map",
                text: "Operation not permitted",
                number: 1,
                isProgramFault: false
            )
            let end = try await stage.end()
            #expect(end.state == .failed)
            #expect(end.reason == .sandboxRefused)
            #expect(end.reasonText == "The sandbox was refused at identity map: Operation not permitted.")
            #expect(!end.didStart)
            #expect(await stage.text(.errand).contains("identity map"))
        }
    }

    @Test(arguments: [(Int32(2), 127), (13, 126)])
    func `a program that cannot be executed ends like in a shell`(_ number: Int32, _ code: Int) async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path)
            stage.sandboxes.programRefusal = SandboxRefusal(
                step: "exec",
                text: "No such file or directory",
                number: number,
                isProgramFault: true
            )
            let end = try await stage.end()
            #expect(end.reason == .exitCode)
            #expect(end.result.exitCode == code)
            #expect(end.didStart)
            #expect(await stage.text(.errand).hasSuffix("No such file or directory.\n"))
            #expect(stage.sandboxes.opened.first?.isDestroyed == true)
        }
    }

    @Test func `a sandbox server that is gone gives the job back`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path)
            let gone = SandboxRefusal(step: "server", text: "ended unexpectedly", number: 32, isProgramFault: false)
            stage.sandboxes.openRefusal = gone
            guard case .released = await stage.runner.run() else { throw Unexpected("not released") }
        }
    }

    @Test(arguments: [true, false])
    func `a cancelled command gets SIGTERM first, and the end of its sandbox when that does not help`(
        _ obeys: Bool
    ) async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path) { process in
                process.print("ready")
                process.onSignal = { number in if obeys { process.end(.signaled(number)) } }
            }
            stage.runner.onStart = { stage.runner.stop(.cancelled) }
            let end = try await stage.end()
            #expect(end.state == .cancelled)
            #expect(end.reason == .cancelledByUser)
            #expect(end.result.signal == (obeys ? 15 : 9))
            #expect(stage.sandboxes.processes.first?.signals == [15])
            #expect(await stage.text(.errand).contains("cancelled"))
        }
    }

    @Test func `a job over its time is timed out`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path, Assignments.command(timeout: 1)) { process in
                process.onSignal = { process.end(.signaled($0)) }
            }
            let end = try await stage.end()
            #expect(end.state == .timedOut)
            #expect(end.reason == .timeout)
            #expect(await stage.text(.errand).contains("1 seconds"))
        }
    }

    @Test func `a fence kills without asking`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path) { _ in }
            stage.runner.onStart = { stage.runner.stop(.fenced) }
            let end = try await stage.end()
            #expect(end.state == .failed)
            #expect(end.reason == .workerLost)
            #expect(stage.sandboxes.processes.first?.signals == [])
        }
    }

    @Test func `an immediate stop hastens a polite one, whose reason stands`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path) { _ in }
            stage.runner.onStart = {
                stage.runner.stop(.cancelled)
                stage.runner.stop(.fenced)
            }
            let end = try await stage.end()
            #expect(end.reason == .cancelledByUser)
            #expect(end.result.signal == 9)
        }
    }

    @Test func `what is cancelled before its start is never executed`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path)
            stage.runner.stop(.cancelled)
            let end = try await stage.end()
            #expect(end.state == .cancelled)
            #expect(!end.didStart)
            #expect(stage.sandboxes.processes.isEmpty)
        }
    }

    @Test func `a shutdown before the start gives the job back untouched`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path)
            stage.runner.stop(.shutdown)
            guard case .released = await stage.runner.run() else { throw Unexpected("not released") }
            #expect(stage.spool.lastSeq == 0)
        }
    }

    @Test func `a stale attempt is killed and has no end`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path) { _ in }
            stage.runner.onStart = { stage.runner.stop(.stale) }
            guard case .discarded = await stage.runner.run() else { throw Unexpected("not discarded") }
            #expect(stage.sandboxes.opened.first?.isDestroyed == true)
        }
    }

    @Test func `output beyond the limit ends the job, says so, and is cut at the byte`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path, outputBytes: 25_000) { process in
                for _ in 0..<100 { process.print(String(repeating: "x", count: 10_000)) }
            }
            let end = try await stage.end()
            #expect(end.state == .failed && end.reason == .limitReached)
            #expect(await stage.text(.stdout) == String(repeating: "x", count: 25_000))
            #expect(await stage.text(.errand).contains("ERRAND_JOB_OUTPUT_BYTES"))
        }
    }

    @Test func `output that finds no space ends the job with a whole log`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path, spoolBytes: 50_000) { process in
                for _ in 0..<100 { process.print(String(repeating: "x", count: 10_000)) }
            }
            let end = try await stage.end()
            #expect(end.state == .failed)
            #expect(end.reason == .spoolFull)
            #expect(end.logEnd.lastSeq == stage.spool.lastSeq)
            #expect(end.logEnd.bytes < 50_000)
        }
    }

    @Test func `an agent's job needs an agent and a model`() async throws {
        try await onLoopWithDirectory { loop, path in
            let without = try await Stage(loop, path + "/a", Assignments.agent(model: nil), agentVersion: nil)
            #expect(try await without.end().reason == .agentMissing)
            let keyless = try await Stage(loop, path + "/b", Assignments.agent(model: nil))
            #expect(try await keyless.end().reason == .authFailed)
            let endpoint = ModelEndpoint(provider: .anthropic, baseURL: "http://127.0.0.1:1", reach: .anywhere)
            let grant = ModelGrant(endpoint: endpoint, apiKey: "k")
            let whole = try await Stage(loop, path + "/c", Assignments.agent(model: grant))
            _ = try await whole.end()
            let process = try #require(whole.sandboxes.processes.first)
            let token = try #require(whole.sandboxes.opened.first?.token)
            #expect(token.utf8.count >= 43)
            #expect(process.program.environment.contains { $0.1 == token })
            #expect(!process.program.environment.contains { $0.1 == "k" })
        }
    }

    @Test func `jobs of one project run one after the other`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path, Assignments.command(workspace: .project))
            _ = try await stage.shelf.enterNow(Names.project)
            var ended: AttemptEnd?
            loop.spawnLocal { ended = try? await stage.end() }
            await loop.sleep(.milliseconds(20))
            #expect(ended == nil)
            #expect(stage.sandboxes.opened.isEmpty)
            stage.shelf.leave(Names.project)
            let isOver = await eventually(on: loop) { ended != nil }
            #expect(isOver)
            #expect(ended?.state == .succeeded)
            #expect(stage.sandboxes.prepared == [PlacedProject(id: Names.project, uidIndex: 0)])
        }
    }

    @Test func `a job that waits for its workspace can be cancelled`() async throws {
        try await onLoopWithDirectory { loop, path in
            let stage = try await Stage(loop, path, Assignments.command(workspace: .project))
            _ = try await stage.shelf.enterNow(Names.project)
            var ended: AttemptEnd?
            loop.spawnLocal { ended = try? await stage.end() }
            await loop.sleep(.milliseconds(5))
            stage.runner.stop(.cancelled)
            let isOver = await eventually(on: loop) { ended != nil }
            #expect(isOver)
            #expect(ended?.state == .cancelled)
        }
    }
}
