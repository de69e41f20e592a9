import Glibc
import Platform
import Sandbox
import Testing

@Suite struct CommandTests {
    @Test func `a command's output, errors and code come back`() async throws {
        let outcome = try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let outcome = try await space.shell("echo out; echo err >&2; exit 7")
            await space.destroy()
            return outcome
        }
        #expect(outcome == Outcome(exit: .exited(7), output: "out\n", errors: "err\n"))
    }

    @Test func `a command reads its input to the end`() async throws {
        let input = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        let outcome = try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            return try await space.outcome(["wc", "-c"], input: input)
        }
        #expect(outcome.output == "1048576\n")
    }

    @Test func `a signal reaches a command and is reported`() async throws {
        let exit = try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let command = SandboxCommand(
                arguments: ["sleep", "600"],
                environment: SandboxProcessSpace.environment
            )
            let running = try await space.run(command)
            await running.signal(SIGTERM)
            return await running.wait()
        }
        #expect(exit == .signaled(SIGTERM))
    }

    @Test func `a missing program is refused with its errno`() async throws {
        let error = try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            return await #expect(throws: SandboxError.self) {
                _ = try await space.outcome(["no-such-program"])
            }
        }
        #expect(error?.step == "exec")
        #expect(error?.errno == ENOENT)
    }

    @Test func `destroying a sandbox ends what runs in it`() async throws {
        let exit = try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let command = SandboxCommand(
                arguments: ["sleep", "600"],
                environment: SandboxProcessSpace.environment
            )
            let running = try await space.run(command)
            await space.destroy()
            #expect(!space.isAlive)
            return await running.wait()
        }
        #expect(exit == .lost)
    }
}
