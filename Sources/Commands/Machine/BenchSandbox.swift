import Bytes
import Glibc
package import Platform
import Sandbox

/// `errand bench-sandbox`: how long a sandbox takes from its making to its end, for `deploy/bench`.
package struct BenchSandbox: Verb {
    package static let words = ["bench-sandbox"]
    package static let usage = "--count N PROGRAM [ARGUMENT…]"
    package static let summary = "Run a program in N fresh sandboxes, one after the other, and print the times of each."
    package static let takesRest = true
    package static let options = [Option("--count", "N", "how many sandboxes (1 to 10000)")]

    private let count: Int
    private let command: SandboxCommand

    package init(_ arguments: Arguments) throws(UsageError) {
        guard let count = Int(arguments.value("--count") ?? ""), (1...10_000).contains(count) else {
            throw UsageError("--count must be a number from 1 to 10000")
        }
        guard !arguments.words.isEmpty else { throw UsageError("name the program to run") }
        self.count = count
        command = SandboxCommand(arguments: arguments.words, environment: [("PATH", "/usr/local/bin:/usr/bin:/bin")])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let root = "/tmp/errand-bench-\(getpid())"
        try await BlockingPool.run { try Files.createDirectory(root) }
        let options = SandboxServerOptions(
            executable: SandboxServerOptions.findExecutable(),
            projectsRoot: "\(root)/projects"
        )
        try await BlockingPool.run { try Files.createDirectory(options.projectsRoot) }
        let server = try await SandboxServer.start(options, on: loop)
        do {
            for index in 0..<count { terminal.put(try await measure(index, server, loop)) }
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
        try await BlockingPool.run { try Files.removeTree(root) }
        return ExitCode.done
    }

    /// One line: microseconds until the sandbox stood, until the program had ended, until nothing was left.
    private func measure(_ index: Int, _ server: SandboxServer, _ loop: EventLoop) async throws -> [UInt8] {
        let begun = Instant.now
        let request = SandboxRequest(
            id: "bench-\(index)",
            workspace: .ephemeral(sizeBytes: 64 << 20),
            listenerPort: nil
        )
        let space = try await server.create(request)
        let stood = Instant.now
        let running = try await space.run(command)
        let exit = await running.wait()
        let ended = Instant.now
        running.stdout.close()
        running.stderr.close()
        await space.destroy()
        let gone = Instant.now
        guard exit == .exited(0) else { throw CommandFailure("the program ended with \(exit)") }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("create_us", micros(stood - begun))
        writer.member("run_us", micros(ended - begun))
        writer.member("total_us", micros(gone - begun))
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private func micros(_ duration: Duration) -> Int64 {
        Int64(duration / .microseconds(1))
    }
}
