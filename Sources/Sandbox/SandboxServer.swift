import Glibc
package import Platform
import SandboxSpec

/// The parent half of the fork server: makes sandboxes by asking it; loop-confined.
///
/// With root the server is privileged and this process is not: all it holds is a socket.
package final class SandboxServer {
    /// How strong the isolation is.
    package let isolation: IsolationReport

    /// Setting a sandbox up takes milliseconds; a file system that hangs must not hold a job for ever.
    private static let setUpTime = Duration.seconds(20)
    /// How long a server that was told to stop may take to kill its sandboxes.
    private static let stopTime = Duration.seconds(10)
    /// A project may hold millions of files; a process of their own deletes them.
    private static let removalTime = Duration.seconds(600)

    /// Called when the server turns out to be gone without having been stopped: nothing can be run any more.
    package var onEnd: () -> Void = {}
    /// Called with true when the server owes an answer for too long, and with false once it has given all of them.
    package var onStall: (Bool) -> Void = { _ in }
    /// Whether the server is gone.
    package private(set) var hasEnded = false

    private let loop: EventLoop
    private let socket: MessageSocket
    private let process: ChildProcess?
    private let policy: OwnedDescriptor
    private let answerLimit: Duration
    private var pending: [UInt32: PendingReply] = [:]
    private var lastRequest: UInt32 = 0
    /// Requests that were given up: while one is unanswered, the server gets to no other.
    private var overdue: Set<UInt32> = []
    private var isStopping = false

    /// Starts a server as a child of this process, with its privileges.
    package static func start(
        _ options: SandboxServerOptions,
        on loop: EventLoop
    ) async throws(SandboxError) -> SandboxServer {
        let started: (process: ChildProcess, socket: Int32)
        do {
            let (ours, theirs) = try DescriptorSocket.pair()
            let held = OwnedDescriptor(ours)
            let passed = OwnedDescriptor(theirs)
            started.process = try ChildProcess.spawn(options.processSpec(socket: passed.raw), on: loop)
            started.socket = held.release()
        } catch {
            throw SandboxError("server", error)
        }
        return try await connect(OwnedDescriptor(started.socket), started.process, options.answerLimit, loop)
    }

    /// Takes over the socket of a server that a privileged parent started.
    package static func adopt(
        _ descriptor: consuming OwnedDescriptor,
        on loop: EventLoop
    ) async throws(SandboxError) -> SandboxServer {
        try await connect(descriptor, nil, SandboxServerOptions.standardAnswerLimit, loop)
    }

    private static func connect(
        _ descriptor: consuming OwnedDescriptor,
        _ process: ChildProcess?,
        _ answerLimit: Duration,
        _ loop: EventLoop
    ) async throws(SandboxError) -> SandboxServer {
        let policy = try SeccompPolicy.compile()
        let socket: MessageSocket
        do {
            socket = try MessageSocket(descriptor, on: loop)
        } catch {
            throw SandboxError("server", error)
        }
        guard let message = await socket.receive() else { throw .gone("server") }
        for descriptor in message.descriptors { close(descriptor) }
        let reply = try SandboxError.decode("server") { () throws(WireError) in
            try ServerReply(decoding: message.bytes)
        }
        switch reply {
        case .ready(let greeting):
            return SandboxServer(greeting, socket, process, policy, answerLimit, loop)
        case .failed(_, let failure):
            socket.close()
            _ = await process?.wait()
            throw SandboxError(failure)
        default:
            throw SandboxError(step: "server", errno: EPROTO, message: "an unexpected first message")
        }
    }

    private init(
        _ greeting: ServerGreeting,
        _ socket: MessageSocket,
        _ process: ChildProcess?,
        _ policy: consuming OwnedDescriptor,
        _ answerLimit: Duration,
        _ loop: EventLoop
    ) {
        isolation = IsolationReport(greeting)
        self.socket = socket
        self.process = process
        self.policy = policy
        self.answerLimit = answerLimit
        self.loop = loop
        loop.spawnLocal { await self.serve() }
        guard let process else { return }
        // Also when something that it has left behind keeps its socket open.
        loop.spawnLocal {
            _ = await process.wait()
            self.end()
        }
    }
}

// MARK: - Requests

extension SandboxServer {
    /// Makes a project's directories, owned by the uid at `index` of the range, or accepts those that are.
    package func prepareProject(_ name: String, uid index: Int) async throws(SandboxError) {
        try SandboxRequest.checkName(name)
        let uidIndex = try SandboxRequest.uidIndex(index)
        _ = try await ask(.project) { .prepareProject(request: $0, name: name, uidIndex: uidIndex) }
    }

    /// Deletes a project's directories with all that is in them; nothing happens when there are none.
    package func removeProject(_ name: String) async throws(SandboxError) {
        try SandboxRequest.checkName(name)
        _ = try await ask(.project, isRemoval: true) { .removeProject(request: $0, name: name) }
    }

    /// Makes a sandbox; it is confined and has proved so when this returns.
    package func create(_ request: SandboxRequest) async throws(SandboxError) -> SandboxProcessSpace {
        let plan = try request.plan()
        let (control, theirs) = try controlPair()
        let step: SandboxStep = if case .project = plan.workspace { .project } else { .process }
        let created: PendingReply.Answer
        do {
            created = try await ask(step, passing: theirs) { .create(request: $0, plan: plan) }
        } catch {
            control.close()
            throw error
        }
        guard let pidfd = created.descriptors.first else {
            control.close()
            throw SandboxError(step: "server", errno: EPROTO, message: "no pidfd came with the sandbox")
        }
        let space: SandboxProcessSpace
        do {
            space = try SandboxProcessSpace(plan.id, control, OwnedDescriptor(pidfd), self, loop)
        } catch {
            control.close()
            throw SandboxError("pidfd", error)
        }
        try await space.becomeReady(within: Self.setUpTime)
        return space
    }

    /// Ends the server and with it every sandbox.
    package func stop() async {
        isStopping = true
        socket.close()
        guard let process else { return }
        if await process.wait(timeout: Self.stopTime) == nil {
            // Root's process does not obey a worker that gave root up; then it is left to its own end.
            process.signal(SIGKILL)
            _ = await process.wait(timeout: Self.stopTime)
        }
    }

    private func controlPair() throws(SandboxError) -> (ours: MessageSocket, theirs: Int32) {
        do {
            let (ours, theirs) = try DescriptorSocket.pair()
            let held = OwnedDescriptor(theirs)
            return (try MessageSocket(OwnedDescriptor(ours), on: loop), held.release())
        } catch {
            throw SandboxError("control socket", error)
        }
    }

    /// Has a sandbox killed, without waiting for a server that may hang: its closed control socket ends it as well.
    func kill(_ id: String) {
        loop.spawnLocal { [socket] in _ = try? await socket.send(ServerRequest.kill(id: id).encoded()) }
    }

    /// Asks and waits for the answer; `descriptor` goes along, and is closed here once it was sent: then ours is the
    /// only other end, and its closing is what init sees.
    private func ask(
        _ step: SandboxStep,
        passing descriptor: Int32? = nil,
        isRemoval: Bool = false,
        _ make: (UInt32) -> ServerRequest
    ) async throws(SandboxError) -> PendingReply.Answer {
        guard !hasEnded, overdue.isEmpty else {
            if let descriptor { close(descriptor) }
            throw hasEnded ? .gone("server") : .stalled(step)
        }
        lastRequest &+= 1
        let number = lastRequest
        let reply = PendingReply()
        pending[number] = reply
        let message = make(number).encoded()
        // Apart, because a server that hangs may not even take the message.
        loop.spawnLocal { [self] in
            do throws(PlatformError) {
                try await socket.send(message, descriptor.map { [$0, policy.raw] } ?? [])
            } catch {
                pending[number] = nil
                reply.fulfilUnlessDone(.failure(SandboxError("server", error)))
            }
            if let descriptor { close(descriptor) }
        }
        let limit = isRemoval ? Self.removalTime : answerLimit
        if let answer = try await reply.answer(within: limit, on: loop) { return answer }
        pending[number] = nil
        // What deletes is a process of its own, which the server does not wait for.
        if !isRemoval {
            overdue.insert(number)
            if overdue.count == 1 { onStall(true) }
        }
        throw .stalled(step)
    }

    private func serve() async {
        while let message = await socket.receive() {
            guard let reply = try? ServerReply(decoding: message.bytes) else {
                for descriptor in message.descriptors { close(descriptor) }
                break
            }
            take(reply, message.descriptors)
        }
        end()
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        socket.close()
        for reply in pending.values { reply.fulfilUnlessDone(.failure(.gone("server"))) }
        pending.removeAll()
        if !isStopping { onEnd() }
    }

    private func take(_ reply: ServerReply, _ descriptors: [Int32]) {
        switch reply {
        case .done(let request), .created(let request, _):
            if let waiting = pending.removeValue(forKey: request) {
                return waiting.fulfil(.success(PendingReply.Answer(descriptors: descriptors)))
            }
            // Nobody waits any more: what was made ends, for its control socket is closed.
            settle(request)
        case .failed(let request, let failure):
            settle(request)
            pending.removeValue(forKey: request)?.fulfil(.failure(SandboxError(failure)))
        case .ready, .ended:
            // A sandbox's end shows in its pidfd, which cannot be lost or late.
            break
        }
        for descriptor in descriptors { close(descriptor) }
    }

    /// Takes note of an answer that may have come too late.
    private func settle(_ request: UInt32) {
        if overdue.remove(request) != nil, overdue.isEmpty { onStall(false) }
    }
}
