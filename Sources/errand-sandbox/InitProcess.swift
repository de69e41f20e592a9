import CLinux
import Glibc
import SandboxSpec

/// Pid 1 of a sandbox: starts commands, reaps everything, and ends with its control socket.
///
/// It is confined like what it starts: the same filter, no capability, one uid.
struct InitProcess {
    /// Commands at a time; a job has one, and a few more look after its workspace.
    private static let commandLimit = 64

    private let channel: Channel
    private let signals: Int32
    private var running: [Int32: UInt32] = [:]

    init(channel: Channel, signals: Int32) {
        self.channel = channel
        self.signals = signals
    }

    /// Serves until the worker closes the control socket; leaving ends the process namespace and all in it.
    consuming func serve() -> Never {
        while true {
            var entries = [
                pollfd(fd: channel.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            ]
            let ready = unsafe poll(&entries, nfds_t(entries.count), -1)
            if ready < 0, errno != EINTR { _exit(1) }
            if entries[1].revents != 0 { reap() }
            if entries[0].revents != 0 { takeRequest() }
        }
    }

    private mutating func takeRequest() {
        let message: Message
        do {
            guard let received = try channel.receive() else { _exit(0) }
            message = received
        } catch {
            _exit(1)
        }
        for descriptor in message.descriptors { close(descriptor) }
        guard let request = try? InitRequest(decoding: message.bytes) else { _exit(1) }
        switch request {
        case .run(let command, let plan): start(command, plan)
        case .signal(let command, let number):
            // Only while the leader is unreaped: then its number still names its group.
            if let entry = running.first(where: { $0.value == command }), number > 0 {
                _ = kill(-entry.key, number)
            }
        }
    }

    private mutating func start(_ command: UInt32, _ plan: CommandPlan) {
        do throws(SetupFailure) {
            guard running.count < Self.commandLimit else {
                throw SetupFailure(step: "command", errno: EAGAIN, detail: "too many commands at a time")
            }
            guard !plan.arguments.isEmpty, plan.workingDirectory.hasPrefix("/"),
                !plan.workingDirectory.hasPrefix("/proc")
            else {
                throw SetupFailure(step: "command", errno: EINVAL, detail: "no program, or no proper directory")
            }
            let pipes = try CommandPipes(takesInput: plan.takesInput)
            let pid = try spawn(plan, pipes)
            running[pid] = command
            send(.started(command: command), pipes.outer)
        } catch {
            send(.refused(command: command, error), [])
        }
    }

    private func spawn(_ plan: CommandPlan, _ pipes: CommandPipes) throws(SetupFailure) -> Int32 {
        var stage: Int32 = 0
        let input = pipes.innerInput
        let output = pipes.innerOutput
        let errors = pipes.innerError
        let pid = unsafe withCStrings(Self.candidates(plan)) { programs in
            unsafe withCStrings(plan.arguments) { arguments in
                unsafe withCStrings(plan.environment) { environment in
                    unsafe plan.workingDirectory.withCString { directory in
                        var command = unsafe errand_command()
                        unsafe command.programs = UnsafeRawPointer(programs).assumingMemoryBound(
                            to: UnsafePointer<CChar>?.self
                        )
                        unsafe command.arguments = UnsafePointer(arguments)
                        unsafe command.environment = UnsafePointer(environment)
                        unsafe command.directory = directory
                        unsafe command.input = input
                        unsafe command.output = output
                        unsafe command.error = errors
                        return unsafe errand_spawn(&command, &stage)
                    }
                }
            }
        }
        guard pid < 0 else { return pid }
        let names = [1: "standard streams", 2: "working directory", 3: "exec"]
        throw SetupFailure(step: names[Int(stage)] ?? "fork", errno: -pid, detail: plan.arguments[0])
    }

    /// The paths at which the program may be, as the command's own PATH says.
    private static func candidates(_ plan: CommandPlan) -> [String] {
        let program = plan.arguments[0]
        guard !program.isEmpty, !program.contains("/") else { return [program] }
        let prefix = "PATH="
        let path = plan.environment.last { $0.hasPrefix(prefix) }?.dropFirst(prefix.count) ?? "/usr/bin:/bin"
        return path.split(separator: ":").filter { $0.hasPrefix("/") }.map { "\($0)/\(program)" }
    }

    private mutating func reap() {
        var discarded = [UInt8](repeating: 0, count: 1024)
        while unsafe read(signals, &discarded, discarded.count) > 0 {}
        while true {
            var status: Int32 = 0
            let pid = unsafe waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return }
            guard let command = running.removeValue(forKey: pid) else { continue }
            let signal = status & 0x7F
            let code = signal == 0 ? (status >> 8) & 0xFF : signal
            send(.ended(command: command, signaled: signal != 0, status: code), [])
        }
    }

    private func send(_ reply: InitReply, _ descriptors: [Int32]) {
        // Without the worker there is nothing left to do here.
        if channel.send(reply.encoded(), descriptors) < 0 { _exit(1) }
    }
}

/// The pipes of one command, made inside so that their owner is the sandbox's uid: `/dev/stdout` can be reopened.
struct CommandPipes {
    private let input: Pipe?
    private let output: Pipe
    private let error: Pipe

    init(takesInput: Bool) throws(SetupFailure) {
        input = takesInput ? try Pipe() : nil
        output = try Pipe()
        error = try Pipe()
    }

    var innerInput: Int32 { input?.readEnd ?? -1 }
    var innerOutput: Int32 { output.writeEnd }
    var innerError: Int32 { error.writeEnd }

    /// The worker's ends: stdout, stderr and, when there is one, stdin.
    var outer: [Int32] {
        [output.readEnd, error.readEnd] + (input.map { [$0.writeEnd] } ?? [])
    }

    /// Both ends of a pipe, closed with it: the command and the worker hold their own by then.
    private final class Pipe {
        let readEnd: Int32
        let writeEnd: Int32

        init() throws(SetupFailure) {
            var ends: [Int32] = [-1, -1]
            let made = unsafe errand_pipe(&ends)
            guard made == 0 else {
                throw SetupFailure(step: "pipe", errno: -made, detail: "making a pipe")
            }
            readEnd = ends[0]
            writeEnd = ends[1]
        }

        deinit {
            close(readEnd)
            close(writeEnd)
        }
    }
}
