import Glibc
import Platform
import Sandbox
import Testing

@Suite struct PrivilegeSplitTests {
    @Test(.enabled(if: geteuid() == 0, "only root can give root up"))
    func `a worker that gave root up makes, runs and ends sandboxes`() async throws {
        let directory = try SandboxHarness.temporaryDirectory()
        defer { try? Files.removeTree(directory) }
        await #expect(processExitsWith: .success) { [directory = directory as String] in
            let loop = try EventLoop.start(name: "worker")
            let options = SandboxServerOptions(
                executable: SandboxServerOptions.findExecutable(),
                projectsRoot: directory
            )
            try await loop.run {
                let server = try await SandboxServer.start(options, on: loop)
                try #require(setgid(31_000) == 0 && setuid(31_000) == 0)
                #expect(unsafe open(directory, O_RDONLY) == -1)
                #expect(server.isolation.mode == .root)
                try await server.prepareProject("mine", uid: 7)
                let request = SandboxRequest(
                    id: "mine",
                    workspace: .project(name: "mine", uidIndex: 7, readOnly: false)
                )
                let space = try await server.create(request)
                #expect(space.receipt.uid == 1_300_007)
                let running = try await space.run(
                    SandboxCommand(
                        arguments: ["sh", "-c", "trap '' TERM; echo on; while :; do sleep 1; done"],
                        environment: SandboxProcessSpace.environment
                    )
                )
                #expect(try await running.stdout.read(max: 16) == Array("on\n".utf8))
                await space.destroy()
                #expect(await running.wait() == .lost)
                try await server.removeProject("mine")
                await server.stop()
            }
        }
    }

    @Test func `a server that a parent started is adopted by its socket`() async throws {
        let directory = try SandboxHarness.temporaryDirectory()
        defer { try? Files.removeTree(directory) }
        let options = SandboxServerOptions(executable: SandboxServerOptions.findExecutable(), projectsRoot: directory)
        let loop = try EventLoop.start(name: "sandbox-test")
        defer { loop.stop() }
        let output = try await loop.run {
            let (ours, theirs) = try DescriptorSocket.pair()
            let process = try ChildProcess.spawn(options.processSpec(socket: theirs), on: loop)
            close(theirs)
            let server = try await SandboxServer.adopt(OwnedDescriptor(ours), on: loop)
            let space = try await server.create(ephemeral())
            let outcome = try await space.shell("echo adopted")
            await server.stop()
            #expect(await process.wait() == .exited(0))
            return outcome.output
        }
        #expect(output == "adopted\n")
    }

    @Test func `a server that hears nonsense ends, and its sandboxes with it`() async throws {
        let directory = try SandboxHarness.temporaryDirectory()
        defer { try? Files.removeTree(directory) }
        let options = SandboxServerOptions(executable: SandboxServerOptions.findExecutable(), projectsRoot: directory)
        let loop = try EventLoop.start(name: "sandbox-test")
        defer { loop.stop() }
        try await loop.run {
            let (ours, theirs) = try DescriptorSocket.pair()
            var spec = options.processSpec(socket: theirs)
            spec.standardError = .null
            let process = try ChildProcess.spawn(spec, on: loop)
            close(theirs)
            let copy = dup(ours)
            let server = try await SandboxServer.adopt(OwnedDescriptor(ours), on: loop)
            let space = try await server.create(ephemeral())
            let nonsense: [UInt8] = [9, 9, 9]
            #expect(unsafe write(copy, nonsense, nonsense.count) == nonsense.count)
            close(copy)
            #expect(await process.wait() == .exited(1))
            await space.ended()
        }
    }

    @Test func `a command that is too long or has a zero byte is refused and harms nothing`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let long = await #expect(throws: SandboxError.self) {
                _ = try await space.outcome(["echo", String(repeating: "x", count: 200_000)])
            }
            #expect(long?.step == "command")
            #expect(long?.errno == E2BIG)
            let cut = await #expect(throws: SandboxError.self) { _ = try await space.outcome(["echo", "a\u{0}b"]) }
            #expect(cut?.errno == EINVAL)
            let none = await #expect(throws: SandboxError.self) { _ = try await space.outcome([]) }
            #expect(none?.errno == EINVAL)
            let most = try await space.outcome(["echo", String(repeating: "x", count: 120_000)])
            #expect(most.output.utf8.count == 120_001)
        }
    }
}
