import Agents
import Glibc
import Link
import Platform

/// A program that a transfer runs inside the project's sandbox, with what it says on standard error.
final class WorkspaceProgram {
    /// Enough to name what went wrong.
    private static let complaintBytes = 2 << 10

    let process: any SandboxProcess
    private let changed = LoopCondition()
    private var complaint: [UInt8] = []
    private var isQuiet = false

    /// Executes a program.
    static func start(
        _ arguments: [String],
        takesInput: Bool = false,
        in sandbox: any OpenSandbox,
        loop: EventLoop
    ) async throws(TransferFault) -> WorkspaceProgram {
        let program = SandboxProgram(
            arguments: arguments,
            environment: [("PATH", "/usr/bin:/bin"), ("LC_ALL", "C.UTF-8"), ("HOME", "/home/agent")],
            workingDirectory: "/workspace",
            takesInput: takesInput
        )
        do throws(SandboxRefusal) {
            return WorkspaceProgram(try await sandbox.run(program), loop: loop)
        } catch {
            throw TransferFault(.failed, "\(arguments.first ?? ""): \(error)")
        }
    }

    /// Runs a program to its end; it must succeed.
    static func run(
        _ arguments: [String],
        in sandbox: any OpenSandbox,
        loop: EventLoop
    ) async throws(TransferFault) {
        let program = try await start(arguments, in: sandbox, loop: loop)
        while await !program.process.readOutput().isEmpty {}
        try await program.finish(arguments.first ?? "")
    }

    private init(_ process: any SandboxProcess, loop: EventLoop) {
        self.process = process
        loop.spawnLocal { [self] in
            while true {
                let bytes = await process.readErrors()
                if bytes.isEmpty { break }
                complaint += bytes.prefix(max(0, Self.complaintBytes - complaint.count))
            }
            isQuiet = true
            changed.signalAll()
        }
    }

    /// Ends it, whatever it does, and waits until it has ended.
    func kill() async {
        await process.signal(SIGKILL)
        _ = await process.wait()
        process.closePipes()
    }

    /// Waits for the end; throws with the program's own words when it failed.
    func finish(_ name: String) async throws(TransferFault) {
        let end = await end()
        guard end.exit != .exited(0) else { return }
        throw Self.failure(of: name, end.exit, end.complaints)
    }

    /// Waits for the end, and tells it with the lines of standard error.
    func end() async -> (exit: AgentExit, complaints: [String]) {
        let exit = await process.wait()
        while !isQuiet { await changed.wait() }
        process.closePipes()
        return (exit, String(decoding: complaint, as: UTF8.self).split(separator: "\n").map(String.init))
    }

    /// A failure that is not the archive's.
    static func failure(of name: String, _ exit: AgentExit, _ complaints: [String]) -> TransferFault {
        let how =
            switch exit {
            case .exited(let code): "exited with \(code)"
            case .signaled(let number): "was ended by signal \(number)"
            }
        let words = complaints.joined(separator: "; ")
        return TransferFault(.failed, "\(name) \(how)" + (words.isEmpty ? "" : ": \(words)"))
    }
}
