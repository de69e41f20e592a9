import Glibc
import Platform
import Sandbox
import Testing

@Suite struct LifeCycleTests {
    /// A hundred and fifty daemons in sessions of their own that ignore every signal they may.
    private static let daemons = """
        trap '' TERM HUP INT QUIT
        i=0
        while [ $i -lt 150 ]; do setsid sleep 600 </dev/null >/dev/null 2>&1 & i=$((i+1)); done
        echo started
        """

    @Test func `daemons that ignore signals die with their sandbox`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let outcome = try await space.shell(Self.daemons)
            #expect(outcome.output == "started\n")
            let namespace = space.receipt.processNamespace
            #expect(ProcessTable.count(in: namespace) >= 150)
            await space.destroy()
            #expect(ProcessTable.count(in: namespace) == 0)
        }
    }

    @Test func `a workload cannot kill or stop what keeps it`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            _ = try await space.shell("kill -9 -1")
            #expect(try await space.shell("echo alive").output == "alive\n")
            _ = try await space.shell("kill -STOP 1; kill -9 1; true")
            #expect(try await space.shell("echo alive").output == "alive\n")
            let stopped = try await space.run(
                SandboxCommand(arguments: ["sh", "-c", "kill -STOP $$"], environment: SandboxProcessSpace.environment)
            )
            await space.destroy()
            #expect(await stopped.wait() == .lost)
        }
    }

    @Test func `commands run side by side and end apart`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            var slow = SandboxCommand(arguments: ["cat"], environment: SandboxProcessSpace.environment)
            slow.stdin = .pipe
            let first = try await space.run(slow)
            #expect(try await space.shell("exit 3").exit == .exited(3))
            first.stdin?.close()
            #expect(await first.wait() == .exited(0))
        }
    }

    @Test func `a cancelled command takes its group along and leaves the sandbox`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let running = try await space.run(
                SandboxCommand(
                    arguments: ["sh", "-c", "sleep 600 & sleep 600 & echo on; wait"],
                    environment: SandboxProcessSpace.environment
                )
            )
            #expect(try await running.stdout.read(max: 16) == Array("on\n".utf8))
            let namespace = space.receipt.processNamespace
            // Init counts where it may be seen, which an ordinary user may not.
            #expect(ProcessTable.count(in: namespace) >= 3)
            await running.signal(SIGKILL)
            #expect(await running.wait() == .signaled(SIGKILL))
            #expect(try await running.stdout.readToEnd() == "")
            #expect(try await space.shell("echo alive").output == "alive\n")
        }
    }

    @Test func `sandboxes die with their server`() async throws {
        try await SandboxHarness.run { server, harness in
            let space = try await server.create(ephemeral())
            let namespace = space.receipt.processNamespace
            _ = try await space.shell(Self.daemons)
            #expect(ProcessTable.count(in: namespace) >= 150)
            let process = try #require(ProcessTable.server(of: harness.projectsRoot))
            #expect(kill(process, SIGKILL) == 0)
            await space.ended()
            #expect(ProcessTable.count(in: namespace) == 0)
            let error = await #expect(throws: SandboxError.self) { _ = try await server.create(ephemeral("next")) }
            #expect(error?.errno == EPIPE)
        }
    }

    @Test func `the end of a server is told at once, but not of one that was stopped`() async throws {
        try await SandboxHarness.run { server, harness in
            var ends = 0
            let changed = LoopCondition()
            server.onEnd = {
                ends += 1
                changed.signalAll()
            }
            let process = try #require(ProcessTable.server(of: harness.projectsRoot))
            #expect(kill(process, SIGKILL) == 0)
            while ends == 0 { await changed.wait() }
            #expect(server.hasEnded)
            await server.stop()
            #expect(ends == 1)
        }
        try await SandboxHarness.run { server, _ in
            var ends = 0
            server.onEnd = { ends += 1 }
            await server.stop()
            #expect(server.hasEnded && ends == 0)
        }
    }

    @Test func `a server that hangs fails what it was asked by its step, and serves on once it can`() async throws {
        try await SandboxHarness.run {
            $0.answerLimit = .milliseconds(200)
        } _: { server, harness in
            var stalls: [Bool] = []
            let changed = LoopCondition()
            server.onStall = {
                stalls.append($0)
                changed.signalAll()
            }
            try await server.prepareProject("before", uid: 0)
            let process = try #require(ProcessTable.server(of: harness.projectsRoot))
            #expect(kill(process, SIGSTOP) == 0)
            defer { kill(process, SIGCONT) }
            let hung = await #expect(throws: SandboxError.self) {
                _ = try await harness.project(server, "one", uid: 1)
            }
            #expect(hung?.step == "project" && hung?.errno == ETIMEDOUT)
            #expect(stalls == [true])
            // Nothing waits for a server of which it is known; what is asked names the step.
            let began = harness.loop.now
            let next = await #expect(throws: SandboxError.self) { _ = try await server.create(ephemeral()) }
            #expect(next?.step == "process" && next?.errno == ETIMEDOUT)
            #expect(harness.loop.now - began < .milliseconds(200))
            #expect(kill(process, SIGCONT) == 0)
            while stalls.count < 2 { await changed.wait() }
            #expect(stalls == [true, false])
            let space = try await server.create(ephemeral())
            #expect(try await space.shell("echo alive").output == "alive\n")
            await space.destroy()
        }
    }

    @Test func `a sandbox that is made too late does not stay`() async throws {
        try await SandboxHarness.run {
            $0.answerLimit = .milliseconds(200)
        } _: { server, harness in
            let process = try #require(ProcessTable.server(of: harness.projectsRoot))
            var isStalled = false
            let changed = LoopCondition()
            server.onStall = {
                isStalled = $0
                changed.signalAll()
            }
            #expect(kill(process, SIGSTOP) == 0)
            defer { kill(process, SIGCONT) }
            await #expect(throws: SandboxError.self) { _ = try await server.create(ephemeral("late")) }
            #expect(kill(process, SIGCONT) == 0)
            while isStalled { await changed.wait() }
            // Its id is in use until it is gone, of which nobody is told: ask until it can be used.
            let deadline = harness.loop.now.advanced(by: .seconds(10))
            var space: SandboxProcessSpace?
            while space == nil, harness.loop.now < deadline {
                do throws(SandboxError) {
                    space = try await server.create(ephemeral("late"))
                } catch {
                    try #require(error.errno == EEXIST)
                }
            }
            try await #require(space).destroy()
        }
    }

    @Test func `a stopped server leaves no sandbox`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let namespace = space.receipt.processNamespace
            _ = try await space.shell(Self.daemons)
            await server.stop()
            await space.ended()
            #expect(ProcessTable.count(in: namespace) == 0)
        }
    }

    @Test func `sandboxes die with their worker`() async throws {
        let directory = try SandboxHarness.temporaryDirectory()
        defer { try? Files.removeTree(directory) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            try await SandboxHarness.run(in: "\(directory)/worker") { server, _ in
                let space = try await server.create(ephemeral())
                _ = try await space.shell(LifeCycleTests.daemons)
                let namespace = space.receipt.processNamespace
                let count = ProcessTable.count(in: namespace)
                try Files.writeAtomically("\(directory)/namespace", Array("\(namespace) \(count)".utf8))
                kill(getpid(), SIGKILL)
            }
        }
        let written = String(decoding: try Files.readAll("\(directory)/namespace", limit: 100), as: UTF8.self)
        let words = written.split(separator: " ")
        #expect(try #require(Int(words[1])) >= 150)
        // Nobody tells us of the end of processes that are not ours: look until none is left or the time is over.
        let loop = try EventLoop.start(name: "sandbox-test")
        defer { loop.stop() }
        let left = try await loop.run {
            let deadline = loop.now.advanced(by: .seconds(10))
            while ProcessTable.count(in: String(words[0])) > 0, loop.now < deadline {
                await loop.sleep(.milliseconds(10))
            }
            return ProcessTable.count(in: String(words[0]))
        }
        #expect(left == 0)
    }

    @Test func `a sandbox's id can be used again once it is gone`() async throws {
        try await SandboxHarness.run { server, _ in
            for round in 0..<20 {
                let space = try await server.create(ephemeral("again"))
                #expect(try await space.shell("echo \(round)").output == "\(round)\n")
                let error = await #expect(throws: SandboxError.self) { _ = try await server.create(ephemeral("again")) }
                #expect(error?.errno == EEXIST)
                await space.destroy()
            }
        }
    }

    @Test func `nothing stays open in the worker when a sandbox is gone`() async {
        // In a process of its own, since other tests of this one open and close theirs meanwhile.
        await #expect(processExitsWith: .success) {
            let counts = try await SandboxHarness.run { server, _ in
                _ = try await LifeCycleTests.cycle(server)
                let before = try Files.list("/proc/self/fd").count
                for _ in 0..<10 { _ = try await LifeCycleTests.cycle(server) }
                return (before, try Files.list("/proc/self/fd").count)
            }
            #expect(counts.0 == counts.1)
        }
    }

    private static func cycle(_ server: SandboxServer) async throws -> Outcome {
        let space = try await server.create(ephemeral("cycle", port: 8080))
        let outcome = try await space.shell("true")
        await space.destroy()
        return outcome
    }
}

/// The host's processes, as a test sees them.
enum ProcessTable {
    /// How many processes are in a process namespace, such as `pid:[4026532201]`; dead ones that wait do not count.
    static func count(in namespace: String) -> Int {
        processes.count { link("/proc/\($0)/ns/pid") == namespace && !status($0).contains("State:\tZ") }
    }

    /// The fork server that this process started for a projects' directory.
    static func server(of projectsRoot: String) -> Int32? {
        processes.first { process in
            let line = (try? Files.readAll("/proc/\(process)/cmdline", limit: 1 << 16)) ?? []
            return String(decoding: line, as: UTF8.self).contains(projectsRoot)
                && status(process).contains("\nPPid:\t\(getpid())\n")
        }
    }

    private static var processes: [Int32] {
        ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) }
    }

    private static func status(_ process: Int32) -> String {
        String(decoding: (try? Files.readAll("/proc/\(process)/status", limit: 1 << 16)) ?? [], as: UTF8.self)
    }

    private static func link(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 64)
        let length = unsafe readlink(path, &target, target.count)
        guard length > 0 else { return nil }
        return String(decoding: target[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension SandboxReceipt {
    /// The identity of the process namespace.
    var processNamespace: String {
        namespaces.first { $0.hasPrefix("pid:") } ?? ""
    }
}
