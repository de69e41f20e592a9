import Agents
import Bytes
import Platform

/// Asks the installed agent for its version, inside a sandbox like any job.
enum AgentProbe {
    /// A cold start of the CLI from a slow disk.
    private static let limit = Duration.seconds(60)

    /// The version; nil when no agent is installed or it does not run.
    static func version(
        _ configuration: WorkerConfiguration,
        sandboxes: any SandboxHost,
        loop: EventLoop
    ) async -> String? {
        guard configuration.agentDirectory != nil else { return nil }
        do {
            let sandbox = try await sandboxes.open("agent-probe", on: .ephemeral, hasModel: false)
            let timer = loop.schedule(after: limit) { loop.spawnLocal { await sandbox.destroy() } }
            let output = try? await output(of: sandbox, loop: loop)
            timer.cancel()
            await sandbox.destroy()
            let version = output?.split(separator: " ").first.map(String.init)
            if version == nil { configuration.onEvent(.agentFault("it does not tell its version")) }
            return version
        } catch {
            configuration.onEvent(.agentFault("\(error)"))
            return nil
        }
    }

    private static func output(of sandbox: any OpenSandbox, loop: EventLoop) async throws -> String? {
        let places = AgentPlaces.sandbox
        let program = SandboxProgram(
            arguments: [places.executable, "--version"],
            environment: [
                ("PATH", places.searchPath), ("HOME", places.home), ("TMPDIR", places.temporaryDirectory),
                ("DISABLE_AUTOUPDATER", "1"),
            ],
            workingDirectory: places.workspace,
            takesInput: false
        )
        let process = try await sandbox.run(program)
        defer { process.closePipes() }
        var bytes: [UInt8] = []
        while bytes.count < 4_096 {
            let piece = await process.readOutput()
            if piece.isEmpty { break }
            bytes += piece
        }
        guard await process.wait() == .exited(0), let text = String(strictUTF8: bytes) else { return nil }
        return text.split(separator: "\n").first.map(String.init)
    }
}
