import Core
import HTTP
import Link
import Platform

/// How a control socket ended.
enum ControlEnding: Sendable, Equatable {
    /// The connection is gone; come back, resuming.
    case lost(String)
    /// The API ended the session.
    case goodbye(GoodbyeReason)
}

/// One control socket, from `hello` to its end; loop-confined.
///
/// Heartbeats share the loop with the jobs' output: each turn of the loop moves a bounded amount of bytes, so that a
/// flood delays a beat by milliseconds, where the lease allows seconds. The sockets are apart, so that bytes in flight
/// delay no beat either.
final class ControlLink {
    /// The API answers `hello` from its database; longer means that it hangs.
    private static let greetingLimit = Duration.seconds(10)
    /// How often ends without an answer are reported again.
    private static let repeatInterval = Duration.seconds(5)

    private let channel: any WebSocketChannel
    private let table: AttemptTable
    private let loop: EventLoop
    private let changed = LoopCondition()
    private var outbox: [WorkerControlMessage] = []
    private var received: UInt64 = 0
    private var claimed: (free: Int, received: UInt64)?
    private var serial: UInt64 = 0
    private var beats: [UInt64: Instant] = [:]
    private var isOpen = true
    private var ending: ControlEnding?
    private var tasks = 0
    /// Called with the answer to `hello`, and when it was sent.
    var onWelcome: (WelcomeMessage, Instant) -> Void = { _, _ in }
    /// Called when a beat was acknowledged, with when it was sent.
    var onBeat: (Instant) -> Void = { _ in }
    /// Called when a workspace is to be moved.
    var onWorkspace: (WorkspaceRequest) -> Void = { _ in }
    /// Called when workspaces are to be removed.
    var onRemove: ([ProjectID]) -> Void = { _ in }

    /// Takes over an open socket.
    init(_ channel: any WebSocketChannel, table: AttemptTable, loop: EventLoop) {
        self.channel = channel
        self.table = table
        self.loop = loop
    }

    /// Serves the socket until it ends.
    func run(_ hello: HelloMessage) async -> ControlEnding {
        guard let welcome = await greet(hello) else { return ending ?? .lost("the API did not answer hello") }
        onWelcome(welcome.message, welcome.sentAt)
        table.resetControl()
        start { await self.writeNews() }
        start { await self.beat(every: .milliseconds(welcome.message.heartbeatMilliseconds)) }
        start { await self.repeatEnds() }
        while isOpen, let message = await receive() { take(message) }
        await close()
        while tasks > 0 { await changed.wait() }
        return ending ?? .lost("the connection was cut")
    }

    /// Says something when its turn comes.
    func send(_ message: WorkerControlMessage) {
        outbox.append(message)
        changed.signalAll()
    }

    /// Has the table's news sent.
    func wake() { changed.signalAll() }

    /// Ends the socket in good order.
    func close() async {
        guard isOpen else { return }
        isOpen = false
        changed.signalAll()
        await channel.close(code: LinkCloseCode.goingAway, reason: "")
    }

    private func greet(_ hello: HelloMessage) async -> (message: WelcomeMessage, sentAt: Instant)? {
        let sentAt = loop.now
        let limit = loop.schedule(after: Self.greetingLimit) { [self] in loop.spawnLocal { await self.close() } }
        defer { limit.cancel() }
        do throws(DisconnectedError) {
            try await channel.send(text: WorkerControlMessage.hello(hello).encoded())
        } catch {
            return nil
        }
        switch await receive() {
        case .welcome(let welcome): return (welcome, sentAt)
        case .goodbye(let reason): ending = .goodbye(reason)
        case nil: break
        default: await refuse(LinkError(.unknownType, "the first message is no welcome"))
        }
        await close()
        return nil
    }

    private func receive() async -> APIControlMessage? {
        let message: WebSocketMessage?
        do throws(DisconnectedError) {
            message = try await channel.receive()
        } catch {
            return nil
        }
        do throws(LinkError) {
            switch message {
            case .text(let text): return try APIControlMessage(decoding: Array(text.utf8))
            case .binary: throw LinkError(.malformed, "a binary frame on the control socket")
            case nil: return nil
            }
        } catch {
            await refuse(error)
            return nil
        }
    }

    private func refuse(_ error: LinkError) async {
        if ending == nil { ending = .lost(error.description) }
        guard isOpen else { return }
        isOpen = false
        changed.signalAll()
        await channel.close(code: LinkCloseCode.protocolError, reason: error.description.cut(toBytes: 120))
    }

    private func take(_ message: APIControlMessage) {
        switch message {
        case .welcome: loop.spawnLocal { await self.refuse(LinkError(.unknownType, "welcome came twice")) }
        case .claimed(let jobs):
            received += UInt64(jobs.count)
            for job in jobs { table.begin(job) }
            changed.signalAll()
        case .beatAck(let serial, let cancelled, let stale):
            guard let sentAt = beats[serial] else { return }
            beats = beats.filter { $0.key > serial }
            for attempt in stale { table.discard(attempt) }
            for attempt in cancelled { table.cancel(attempt) }
            onBeat(sentAt)
        case .finished(let answers): table.finished(answers)
        case .cancel(let job): table.cancel(job)
        case .workspace(let request): onWorkspace(request)
        case .remove(let projects): onRemove(projects)
        case .goodbye(let reason):
            ending = .goodbye(reason)
            loop.spawnLocal { await self.close() }
        }
    }
}

// MARK: - What it says

extension ControlLink {
    private func start(_ body: @escaping () async -> Void) {
        tasks += 1
        loop.spawnLocal { [self] in
            await body()
            tasks -= 1
            changed.signalAll()
        }
    }

    /// Sends what there is, everything that came up meanwhile in one go.
    private func writeNews() async {
        while isOpen {
            var messages = outbox + table.takeControlNews()
            outbox = []
            let request = (free: table.free, received: received)
            if claimed.map({ $0 != request }) ?? true {
                claimed = request
                messages.append(.claim(free: request.free, received: request.received))
            }
            guard !messages.isEmpty else {
                await changed.wait()
                continue
            }
            for message in messages where isOpen { await write(message) }
        }
    }

    private func write(_ message: WorkerControlMessage) async {
        do throws(DisconnectedError) {
            try await channel.send(text: message.encoded())
        } catch {
            await close()
        }
    }

    private func beat(every interval: Duration) async {
        while isOpen {
            _ = await sleep(interval)
            guard isOpen else { return }
            // Two beats without an answer: the other end is gone, though the connection does not know it yet.
            if let oldest = beats.values.min(), loop.now - oldest > interval * 2 {
                ending = .lost("beats are not answered")
                return await close()
            }
            serial += 1
            beats[serial] = loop.now
            await write(.beat(serial: serial, running: table.attempts))
        }
    }

    private func repeatEnds() async {
        while isOpen {
            await sleep(Self.repeatInterval)
            if isOpen { table.repeatEnds() }
        }
    }

    /// Waits for a time, or until the socket ends.
    private func sleep(_ duration: Duration) async {
        let deadline = loop.now.advanced(by: duration)
        while isOpen, loop.now < deadline { _ = await changed.wait(timeout: deadline - loop.now, on: loop) }
    }
}
