import Glibc
package import Platform
import SandboxSpec

/// Whether a command has input.
package enum SandboxInput: Sendable {
    /// `/dev/null`.
    case null
    /// A pipe from the caller.
    case pipe
}

/// A program to run inside a sandbox.
package struct SandboxCommand: Sendable {
    /// The argument list; the first is the program, looked up in the command's own PATH when it has no slash.
    package var arguments: [String]
    /// The whole environment; nothing is inherited.
    package var environment: [(String, String)]
    /// An absolute path inside the sandbox.
    package var workingDirectory = SandboxPaths.workspace
    /// Whether the command has input.
    package var stdin = SandboxInput.null

    /// Names the program and its environment; it starts in the workspace and without input.
    package init(arguments: [String], environment: [(String, String)]) {
        self.arguments = arguments
        self.environment = environment
    }

    /// A zero byte would cut an argument short: what ran would not be what was asked for.
    func plan() throws(SandboxError) -> CommandPlan {
        let names = environment.map(\.0)
        let texts = arguments + names + environment.map(\.1) + [workingDirectory]
        guard !arguments.isEmpty, texts.allSatisfy({ !$0.utf8.contains(0) }),
            names.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "=")) })
        else {
            throw SandboxError(step: "command", errno: EINVAL, message: "an empty or impossible argument list")
        }
        guard arguments.count + names.count < WireLimits.listElements else {
            throw SandboxError(step: "command", errno: E2BIG, message: "too many arguments")
        }
        return CommandPlan(
            arguments: arguments,
            environment: environment.map { "\($0.0)=\($0.1)" },
            workingDirectory: workingDirectory,
            takesInput: stdin == .pipe
        )
    }
}

/// How a command ended.
package enum SandboxExit: Sendable, Equatable {
    /// It returned this code.
    case exited(Int32)
    /// This signal killed it.
    case signaled(Int32)
    /// Its sandbox ended first.
    case lost
}

/// A command that runs inside a sandbox; loop-confined.
package final class SandboxedCommand {
    /// The end that writes to the command's input, when it has one.
    package let stdin: ByteSocket?
    /// The end that reads its output.
    package let stdout: ByteSocket
    /// The end that reads its diagnostics.
    package let stderr: ByteSocket

    private let number: UInt32
    private let pending: PendingCommand
    private let space: SandboxProcessSpace

    init(
        _ number: UInt32,
        _ descriptors: [Int32],
        takesInput: Bool,
        _ pending: PendingCommand,
        _ space: SandboxProcessSpace,
        _ loop: EventLoop
    ) throws(PlatformError) {
        guard descriptors.count == (takesInput ? 3 : 2) else {
            for descriptor in descriptors { close(descriptor) }
            throw PlatformError(stage: "pipes of the command", errno: EPROTO)
        }
        self.number = number
        self.pending = pending
        self.space = space
        stdout = try ByteSocket(loop: loop, adopting: OwnedDescriptor(descriptors[0]))
        stderr = try ByteSocket(loop: loop, adopting: OwnedDescriptor(descriptors[1]))
        stdin = takesInput ? try ByteSocket(loop: loop, adopting: OwnedDescriptor(descriptors[2])) : nil
    }

    /// Waits until the command itself has ended; what it left behind may still run and hold its pipes.
    package func wait() async -> SandboxExit {
        await pending.exit()
    }

    /// Signals the command's process group; nothing happens once the command has ended.
    package func signal(_ number: Int32) async {
        guard !pending.hasEnded else { return }
        await space.signal(self.number, number)
    }
}

/// What is known about a command that has not ended; loop-confined.
final class PendingCommand {
    let started = PendingReply()
    private let condition = LoopCondition()
    private var end: SandboxExit?

    var hasEnded: Bool { end != nil }

    func finish(_ exit: SandboxExit) {
        end = exit
        condition.signalAll()
    }

    /// The sandbox is gone: whoever waits for the start or the end learns it.
    func lose() {
        started.fulfilUnlessDone(.failure(.gone("sandbox")))
        finish(.lost)
    }

    func exit() async -> SandboxExit {
        while true {
            if let end { return end }
            await condition.wait()
        }
    }
}
