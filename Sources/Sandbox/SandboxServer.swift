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

    private let loop: EventLoop
    private let socket: MessageSocket
    private let process: ChildProcess?
    private let policy: OwnedDescriptor
    private var pending: [UInt32: PendingReply] = [:]
    private var lastRequest: UInt32 = 0
    private var hasEnded = false

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
        return try await connect(OwnedDescriptor(started.socket), started.process, loop)
    }

    /// Takes over the socket of a server that a privileged parent started.
    package static func adopt(
        _ descriptor: consuming OwnedDescriptor,
        on loop: EventLoop
    ) async throws(SandboxError) -> SandboxServer {
        try await connect(descriptor, nil, loop)
    }

    private static func connect(
        _ descriptor: consuming OwnedDescriptor,
        _ process: ChildProcess?,
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
            return SandboxServer(greeting, socket, process, policy, loop)
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
        _ loop: EventLoop
    ) {
        isolation = IsolationReport(greeting)
        self.socket = socket
        self.process = process
        self.policy = policy
        self.loop = loop
        loop.spawnLocal { await self.serve() }
    }
}

// MARK: - Requests

extension SandboxServer {
    /// Makes a project's directories, owned by the uid at `index` of the range, or accepts those that are.
    package func prepareProject(_ name: String, uid index: Int) async throws(SandboxError) {
        try SandboxRequest.checkName(name)
        let uidIndex = try SandboxRequest.uidIndex(index)
        _ = try await ask { .prepareProject(request: $0, name: name, uidIndex: uidIndex) }
    }

    /// Deletes a project's directories with all that is in them; nothing happens when there are none.
    package func removeProject(_ name: String) async throws(SandboxError) {
        try SandboxRequest.checkName(name)
        _ = try await ask { .removeProject(request: $0, name: name) }
    }

    /// Makes a sandbox; it is confined and has proved so when this returns.
    package func create(_ request: SandboxRequest) async throws(SandboxError) -> SandboxProcessSpace {
        let plan = try request.plan()
        let (control, theirs) = try controlPair()
        let passed = OwnedDescriptor(theirs)
        let created: PendingReply.Answer
        do {
            created = try await ask([passed.raw, policy.raw]) { .create(request: $0, plan: plan) }
        } catch {
            control.close()
            throw error
        }
        // Once ours is the only other end, its closing is what init sees.
        close(passed.release())
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

    func kill(_ id: String) async {
        // Without the server there is no one to kill with: then the closed control socket ends the sandbox.
        _ = try? await socket.send(ServerRequest.kill(id: id).encoded())
    }

    private func ask(
        _ descriptors: [Int32] = [],
        _ make: (UInt32) -> ServerRequest
    ) async throws(SandboxError) -> PendingReply.Answer {
        guard !hasEnded else { throw .gone("server") }
        lastRequest &+= 1
        let number = lastRequest
        let reply = PendingReply()
        pending[number] = reply
        do {
            try await socket.send(make(number).encoded(), descriptors)
        } catch {
            pending[number] = nil
            throw SandboxError("server", error)
        }
        return try await reply.answer()
    }

    private func serve() async {
        while let message = await socket.receive() {
            guard let reply = try? ServerReply(decoding: message.bytes) else {
                for descriptor in message.descriptors { close(descriptor) }
                break
            }
            take(reply, message.descriptors)
        }
        hasEnded = true
        socket.close()
        for reply in pending.values { reply.fulfil(.failure(.gone("server"))) }
        pending.removeAll()
    }

    private func take(_ reply: ServerReply, _ descriptors: [Int32]) {
        switch reply {
        case .done(let request), .created(let request, _):
            guard let waiting = pending.removeValue(forKey: request) else { break }
            return waiting.fulfil(.success(PendingReply.Answer(descriptors: descriptors)))
        case .failed(let request, let failure):
            pending.removeValue(forKey: request)?.fulfil(.failure(SandboxError(failure)))
        case .ready, .ended:
            // A sandbox's end shows in its pidfd, which cannot be lost or late.
            break
        }
        for descriptor in descriptors { close(descriptor) }
    }
}
