import Glibc
package import Platform
import SandboxSpec

/// One sandbox: runs commands until it is destroyed; loop-confined.
@safe package final class SandboxProcessSpace {
    /// The sandbox's name.
    package let id: String

    private let loop: EventLoop
    private let server: SandboxServer
    private let control: MessageSocket
    private let process: Source
    private let changed = LoopCondition()
    private var listener: OwnedDescriptor?
    private var facts: ConfinementFacts?
    private var failure: SandboxError?
    private var commands: [UInt32: PendingCommand] = [:]
    private var lastCommand: UInt32 = 0
    private var isControlled = true

    /// Whether anything inside may still run.
    package private(set) var isAlive = true

    init(
        _ id: String,
        _ control: MessageSocket,
        _ pidfd: consuming OwnedDescriptor,
        _ server: SandboxServer,
        _ loop: EventLoop
    ) throws(PlatformError) {
        self.id = id
        self.control = control
        self.server = server
        self.loop = loop
        process = try Source(loop: loop, descriptor: pidfd)
        process.onEvents = { [self] _ in processEnded() }
        loop.spawnLocal { await self.serve() }
    }

    /// What the sandbox proved about itself.
    package var receipt: SandboxReceipt {
        guard let facts else { preconditionFailure("a sandbox is handed out once it is ready") }
        return SandboxReceipt(facts)
    }

    /// Hands over the listener on the sandbox's 127.0.0.1, once; nil when none was asked for.
    ///
    /// It and what it accepts keep the network namespace alive: close them with the sandbox.
    package func takeListener() -> OwnedDescriptor? {
        listener.take()
    }

    /// Starts a command; its pipes are the caller's to drain and to close.
    package func run(_ command: SandboxCommand) async throws(SandboxError) -> SandboxedCommand {
        guard isControlled else { throw .gone("sandbox") }
        lastCommand &+= 1
        let number = lastCommand
        let pending = PendingCommand()
        commands[number] = pending
        do throws(SandboxError) {
            try await send(.run(command: number, try command.plan()))
        } catch {
            commands[number] = nil
            throw error
        }
        let descriptors = try await pending.started.answer().descriptors
        do {
            return try SandboxedCommand(number, descriptors, takesInput: command.stdin == .pipe, pending, self, loop)
        } catch {
            throw SandboxError("pipes", error)
        }
    }

    /// Kills everything inside and returns when nothing is left.
    package func destroy() async {
        listener = nil
        control.close()
        if isAlive { server.kill(id) }
        await ended()
    }

    /// Waits until nothing inside runs any more, for whatever reason.
    package func ended() async {
        while isAlive { await changed.wait() }
    }

    func signal(_ command: UInt32, _ number: Int32) async {
        _ = try? await control.send(InitRequest.signal(command: command, number: number).encoded())
    }

    private func send(_ request: InitRequest) async throws(SandboxError) {
        do {
            try await control.send(request.encoded())
        } catch {
            // Too long is the command's fault; everything else means that the sandbox is going.
            throw error.errno == E2BIG ? SandboxError("command", error) : .gone("sandbox")
        }
    }

    func becomeReady(within time: Duration) async throws(SandboxError) {
        let deadline = loop.now.advanced(by: time)
        while facts == nil, failure == nil, isControlled {
            let left = deadline - loop.now
            guard left > .zero, await changed.wait(timeout: left, on: loop) else {
                failure = SandboxError(step: "ready", errno: ETIMEDOUT, message: "the set-up did not finish in time")
                break
            }
        }
        guard facts == nil else { return }
        await destroy()
        throw failure ?? .gone("sandbox")
    }

    private func serve() async {
        while let message = await control.receive() {
            guard let reply = try? InitReply(decoding: message.bytes) else {
                for descriptor in message.descriptors { close(descriptor) }
                break
            }
            take(reply, message.descriptors)
        }
        isControlled = false
        control.close()
        for command in commands.values { command.lose() }
        commands.removeAll()
        changed.signalAll()
    }

    private func take(_ reply: InitReply, _ descriptors: [Int32]) {
        switch reply {
        case .listener:
            if let first = descriptors.first {
                listener = OwnedDescriptor(first)
                for descriptor in descriptors.dropFirst() { close(descriptor) }
                return
            }
        case .ready(let facts):
            self.facts = facts
            changed.signalAll()
        case .failed(let failure):
            self.failure = SandboxError(failure)
            changed.signalAll()
        case .started(let command):
            if let waiting = commands[command] {
                return waiting.started.fulfil(.success(PendingReply.Answer(descriptors: descriptors)))
            }
        case .refused(let command, let failure):
            commands.removeValue(forKey: command)?.started.fulfil(.failure(SandboxError(failure)))
        case .ended(let command, let signaled, let status):
            commands.removeValue(forKey: command)?.finish(signaled ? .signaled(status) : .exited(status))
        }
        for descriptor in descriptors { close(descriptor) }
    }

    /// A readable pidfd of init means that its whole process namespace is empty.
    private func processEnded() {
        isAlive = false
        process.close()
        changed.signalAll()
    }
}
