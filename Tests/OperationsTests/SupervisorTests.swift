import Glibc
import Operations
import Platform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SupervisorTests {
    @Test func `a killed service comes back, and all stop in reverse order`() async throws {
        let directory = try TemporaryDirectory()
        try await onLoop { loop in
            let captured = try CapturedLog()
            let services = try ["first", "second"].map { name in
                try Announced(name, trap: "echo \(name) >> \(directory.path)/order; exit 0", on: loop)
            }
            let supervisor = Supervisor(services: services.map(\.service), log: captured.log, loop: loop)
            try await supervisor.start()
            let first = try #require(supervisor.pid(of: "first"))
            #expect(getsid(first) == first)
            #expect(kill(first, SIGKILL) == 0)
            // The new one has set its trap when it has said so.
            await services[0].wasReady(2)
            #expect(supervisor.pid(of: "first") != first)
            #expect(supervisor.pid(of: "second") != nil)
            await supervisor.stop()
            #expect(supervisor.pid(of: "first") == nil)
            let order = try Files.readAll("\(directory.path)/order", limit: 100)
            #expect(String(decoding: order, as: UTF8.self) == "second\nfirst\n")
            let lines = try captured.lines()
            #expect(lines.contains { $0.contains("service output") && $0.contains("\"line\":\"up\"") })
            #expect(lines.contains { $0.contains("was ended by signal 9") })
        }
    }

    @Test func `a service that cannot start ends the start with its reason`() async throws {
        try await onLoop { loop in
            let captured = try CapturedLog()
            var backOff = BackOff()
            backOff.first = .milliseconds(1)
            let services = [
                try Announced("good", trap: "exit 0", on: loop).service,
                Service(name: "bad", makeSpec: { ProcessSpec(path: "/no/such", arguments: ["such"]) }),
            ]
            let supervisor = Supervisor(services: services, log: captured.log, loop: loop, backOff: backOff)
            let error = await #expect(throws: SupervisorError.self) { try await supervisor.start() }
            #expect(error?.service == "bad")
            #expect(error?.reason.contains("execve") == true)
            await supervisor.stop()
            #expect(supervisor.pid(of: "good") == nil)
        }
    }

    @Test func `a service that ignores its signal is killed`() async throws {
        try await onLoop { loop in
            let captured = try CapturedLog()
            let stubborn = try Announced("stubborn", grace: .milliseconds(50), trap: "", on: loop)
            let supervisor = Supervisor(services: [stubborn.service], log: captured.log, loop: loop)
            try await supervisor.start()
            await supervisor.stop()
            #expect(try captured.lines().contains { $0.contains("killed after its grace") })
        }
    }

    @Test func `programs are run with input, output and a time limit`() async throws {
        try await onLoop { loop in
            let echo = try await Program.run(shell("cat; echo oops >&2; exit 3"), input: Array("hello".utf8), on: loop)
            #expect(echo.output == "hello")
            #expect(echo.diagnostics == "oops\n")
            #expect(echo.status == .exited(3))
            let large = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
            #expect(try await Program.run(shell("cat"), input: large, on: loop).output.utf8.count == 300_000)
            await #expect(throws: ProgramError.self) {
                _ = try await Program.run(shell("sleep 100"), timeout: .milliseconds(20), on: loop)
            }
            await #expect(throws: ProgramError.self) { _ = try await Program.require(shell("exit 1"), on: loop) }
            // A grandchild that keeps the pipe does not keep the caller.
            let early = try await Program.run(shell("echo now; sleep 100 &"), on: loop)
            #expect(early.output == "now\n")
        }
    }

    @Test func `programs are found on the path and nowhere else`() {
        #expect(Program.find("sh") != nil)
        #expect(Program.find("no-such-program") == nil)
        #expect(Program.find("tmp") == nil)
    }
}

private func shell(_ script: String) -> ProcessSpec {
    ProcessSpec(path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"])
}

/// A service that is ready when it says that its trap is set, and then waits for signals alone.
private final class Announced {
    private let name: String
    private let grace: Duration
    private let spec: ProcessSpec
    private let says: ByteSocket
    private let said: OwnedDescriptor
    private let changed = LoopCondition()
    private var count = 0

    init(_ name: String, grace: Duration = .seconds(30), trap: String, on loop: EventLoop) throws {
        self.name = name
        self.grace = grace
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw PlatformError(stage: "pipe", errno: errno) }
        says = try ByteSocket(loop: loop, adopting: OwnedDescriptor(ends[0]))
        said = OwnedDescriptor(ends[1])
        // Nothing is ever written to its input: reading it is a wait that only a signal ends.
        var spec = shell("trap '\(trap)' TERM; echo up; echo up >&3; while read -r nothing; do :; done")
        spec.standardInput = .pipe
        spec.standardOutput = .pipe
        spec.extraDescriptors = [(child: 3, raw: ends[1])]
        self.spec = spec
    }

    var service: Service {
        Service(name: name, grace: grace, makeSpec: { [spec] in spec }, isReady: { await self.heard() })
    }

    /// Waits until it has been ready so many times.
    func wasReady(_ times: Int) async { while count < times { await changed.wait() } }

    private func heard() async -> Bool {
        guard let word = try? await says.read(max: 3), !word.isEmpty else { return false }
        count += 1
        changed.signalAll()
        return true
    }
}
