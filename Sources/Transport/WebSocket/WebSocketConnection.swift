import Bytes
import HTTP
import Platform

/// An open WebSocket on a wire, for both roles.
///
/// It reads in the loop's event callback, not in a task: an idle socket costs neither a task nor a buffer, and pings
/// are answered whether or not anybody receives.
final class WebSocketConnection: WebSocketChannel {
    /// Messages kept for a receiver that does not come; then the peer is slowed down.
    private static let maximumQueued = 32
    /// How long we wait for the peer's half of the closing handshake.
    private static let closeTimeout = Duration.seconds(5)
    /// Bytes taken in one turn before the loop looks at other sockets.
    private static let turnBudget = 256 << 10

    private let wire: any Wire
    private let role: WebSocketRole
    private let limits: WebSocketLimits
    private let pool: BufferPool
    private var decoder: WebSocketDecoder
    private var messages: [WebSocketMessage] = []
    private var end: End?
    private var isPaused = false
    private let changed = LoopCondition()

    private var isWriting = false
    private var pendingControl: [UInt8] = []
    private let writerDone = LoopCondition()
    private var hasSentClose = false

    private var lastReceived: Instant
    private var pulse: LoopTimer?
    private var closeTimer: LoopTimer?

    /// Called once when the socket is no longer open, for senders that receive nothing.
    var onDisconnect: (() -> Void)?
    /// Whether messages are dropped as they come, for senders that receive nothing.
    var dropsMessages = false

    private enum End {
        case closed
        case failed(String)
    }

    /// Goes on with a wire after its handshake; `received` is what came behind the head.
    init(wire: any Wire, role: WebSocketRole, limits: WebSocketLimits, pool: BufferPool, received: [UInt8]) {
        self.wire = wire
        self.role = role
        self.limits = limits
        self.pool = pool
        decoder = WebSocketDecoder(role: role, maximumMessage: limits.maximumMessage)
        lastReceived = wire.loop.now
        if !received.isEmpty { take(received.span) }
        guard end == nil else { return }
        // Unowned: `deinit` takes the callback away.
        wire.source.onEvents = { [unowned self] _ in readAvailable() }
        readAvailable()
        schedulePulse()
    }

    deinit {
        wire.source.onEvents = nil
        pulse?.cancel()
        closeTimer?.cancel()
        wire.close()
    }

    var isOpen: Bool { end == nil && !hasSentClose }

    func receive() async throws(DisconnectedError) -> WebSocketMessage? {
        while true {
            if !messages.isEmpty {
                let message = messages.removeFirst()
                if isPaused, messages.count < Self.maximumQueued / 2 {
                    isPaused = false
                    readAvailable()
                }
                return message
            }
            switch end {
            case .closed: return nil
            case .failed(let reason): throw DisconnectedError(reason)
            case nil: await changed.wait()
            }
        }
    }

    func send(text: [UInt8]) async throws(DisconnectedError) { try await send(.text, text) }

    func send(binary: [UInt8]) async throws(DisconnectedError) { try await send(.binary, binary) }

    func close(code: UInt16, reason: String) async {
        sendClose(code, reason)
        while isWriting { await writerDone.wait() }
    }

    /// Tells the peer that the server goes down.
    func goAway() {
        sendClose(WebSocketCloseCode.goingAway, "the server is going down")
    }

    /// Cuts the connection.
    func abort() {
        finish(.failed("cut by the server"))
    }

    /// Closes if nobody has yet, and waits until the peer has answered or the time is over.
    func finish() async {
        sendClose(WebSocketCloseCode.normal, "")
        while end == nil { await changed.wait() }
        while isWriting, !wire.isClosed { await writerDone.wait() }
        wire.close()
    }

    // MARK: - Sending

    private func send(_ opcode: WebSocketOpcode, _ payload: [UInt8]) async throws(DisconnectedError) {
        // One writer at a time: a frame in the middle of another would break the stream.
        while isWriting {
            guard isOpen else { throw DisconnectedError("the WebSocket is closed") }
            await writerDone.wait()
        }
        guard isOpen else { throw DisconnectedError("the WebSocket is closed") }
        var frame: [UInt8] = []
        WebSocketFrame.append(opcode, payload, mask: mask(), to: &frame)
        // Most frames fit into the socket at once; only the rest of one needs a wait.
        guard case .wrote(let count) = wire.attemptWrite(frame, from: 0) else { return try await writeWaiting(frame) }
        if count < frame.count { try await writeWaiting(Array(frame[count...])) }
    }

    private func writeWaiting(_ frame: [UInt8]) async throws(DisconnectedError) {
        isWriting = true
        defer {
            isWriting = false
            writerDone.signalAll()
            // The end came while this was being sent, and left the wire to us.
            if end != nil { wire.close() }
        }
        do throws(TransportError) {
            try await wire.write(frame)
            while !pendingControl.isEmpty {
                let control = pendingControl
                pendingControl = []
                try await wire.write(control)
            }
        } catch {
            finish(.failed(error.description))
            throw DisconnectedError(error.description)
        }
    }

    private func sendControl(_ opcode: WebSocketOpcode, _ payload: [UInt8]) {
        guard end == nil else { return }
        var frame: [UInt8] = []
        WebSocketFrame.append(opcode, payload, mask: mask(), to: &frame)
        guard !isWriting else {
            // A peer that floods us with pings and reads no pong gets only the latest of them.
            if pendingControl.count < 1_024 { pendingControl.append(contentsOf: frame) }
            return
        }
        var sent = 0
        while sent < frame.count {
            switch wire.attemptWrite(frame, from: sent) {
            case .wrote(let count): sent += count
            case .failed(let error): return finish(.failed(error.description))
            case .blocked:
                isWriting = true
                let rest = Array(frame[sent...])
                return wire.loop.spawnLocal { [self] in try? await writeWaiting(rest) }
            }
        }
    }

    private func sendClose(_ code: UInt16, _ reason: String) {
        guard isOpen else { return }
        sendControl(.close, WebSocketFrame.closePayload(code: code, reason: reason))
        hasSentClose = true
        notifyDisconnect()
        closeTimer = wire.loop.schedule(after: Self.closeTimeout) { [unowned self] in
            finish(.failed("the peer did not answer the closing handshake"))
        }
    }

    private func mask() -> UInt32? {
        role == .client ? UInt32.random(in: .min ... .max) : nil
    }

    // MARK: - Receiving

    private func readAvailable() {
        var taken = 0
        var buffer = pool.take()
        while end == nil, !isPaused {
            var outcome = WireRead.blocked
            _ = unsafe buffer.fill { target in
                outcome = unsafe wire.read(into: target)
                if case .bytes(let count) = outcome { return count }
                return 0
            }
            guard case .bytes(let count) = outcome else {
                noteEnd(outcome)
                break
            }
            take(buffer.bytes)
            buffer.removeFirst(count)
            taken += count
            guard taken < Self.turnBudget else {
                _ = wire.loop.schedule(after: .zero) { [weak self] in self?.readAvailable() }
                break
            }
        }
        pool.give(buffer)
    }

    private func noteEnd(_ outcome: WireRead) {
        switch outcome {
        case .end: finish(.failed("the peer has gone"))
        case .failed(let error): finish(.failed(error.description))
        case .bytes, .blocked: break
        }
    }

    private func take(_ bytes: borrowing Span<UInt8>) {
        lastReceived = wire.loop.now
        var events: [WebSocketEvent] = []
        var fault: WebSocketError?
        do throws(WebSocketError) {
            try decoder.feed(bytes, into: &events)
        } catch {
            fault = error
        }
        for event in events { handle(event) }
        guard let fault else { return }
        sendClose(fault.code, fault.reason)
        finish(.failed(fault.reason))
    }

    private func handle(_ event: WebSocketEvent) {
        guard end == nil else { return }
        switch event {
        case .message where dropsMessages: break
        case .message(let message):
            messages.append(message)
            isPaused = messages.count >= Self.maximumQueued
            changed.signalAll()
        case .ping(let payload): sendControl(.pong, payload)
        case .pong: break
        case .close(let code, _):
            sendClose(code ?? WebSocketCloseCode.normal, "")
            finish(.closed)
        }
    }

    private func finish(_ how: End) {
        guard end == nil else { return }
        end = how
        pulse?.cancel()
        closeTimer?.cancel()
        wire.source.onEvents = nil
        if isWriting {
            // A stalled writer would keep the wire; what it has not sent by now is not wanted any more.
            if case .failed = how { wire.close() }
        } else {
            wire.close()
        }
        changed.signalAll()
        writerDone.signalAll()
        notifyDisconnect()
    }

    private func notifyDisconnect() {
        let notify = onDisconnect
        onDisconnect = nil
        notify?()
    }

    private func schedulePulse() {
        pulse = wire.loop.schedule(after: limits.pingInterval) { [unowned self] in
            guard end == nil else { return }
            guard wire.loop.now - lastReceived < limits.idleTimeout else {
                return finish(.failed("the peer is silent"))
            }
            sendControl(.ping, [])
            schedulePulse()
        }
    }
}
