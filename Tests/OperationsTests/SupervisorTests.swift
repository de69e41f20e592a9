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
            let supervisor = Supervisor(
                services: ["first", "second"].map { name in
                    service(
                        name,
                        "trap 'echo \(name) >> \(directory.path)/order; exit 0' TERM; echo up; while :; do sleep 0.01; done"
                    )
                },
                log: captured.log,
                loop: loop
            )
            try await supervisor.start()
            let first = try #require(supervisor.pid(of: "first"))
            #expect(getsid(first) == first)
            #expect(kill(first, SIGKILL) == 0)
            while supervisor.pid(of: "first") == first || supervisor.pid(of: "first") == nil {
                await loop.sleep(.milliseconds(5))
            }
            #expect(supervisor.pid(of: "second") != nil)
            // The new one has set its trap when it has said so.
            await loop.sleep(.milliseconds(50))
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
                service("good", "while :; do sleep 0.01; done"),
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
            let stubborn = Service(
                name: "stubborn",
                grace: .milliseconds(50),
                makeSpec: { shell("trap '' TERM; while :; do sleep 0.01; done") },
                isReady: {
                    await loop.sleep(.milliseconds(50))
                    return true
                }
            )
            let supervisor = Supervisor(services: [stubborn], log: captured.log, loop: loop)
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

private func service(_ name: String, _ script: String) -> Service {
    Service(
        name: name,
        makeSpec: {
            var spec = shell(script)
            spec.standardOutput = .pipe
            return spec
        }
    )
}
