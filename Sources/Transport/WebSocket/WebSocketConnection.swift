import Bytes
import HTTP
import Platform

/// An open WebSocket on a wire, for both roles.
///
/// It reads in the loop's event callback, not in a task: an idle socket costs neither a task nor a buffer, and pings
/// are answered whether or not anybody receives.
final class WebSocketConnection: WebSocketChannel {
    /// Messages kept for a receiver that does not come; then the peer is slowed down.
    static let maximumQueued = 32
    /// How long we wait for the peer's half of the closing handshake.
    static let closeTimeout = Duration.seconds(5)
    /// Bytes taken in one turn before the loop looks at other sockets.
    static let turnBudget = 256 << 10
    /// Bytes dropped after the end, so that a peer in the middle of a large message still reads why.
    static let lingeredBytes = 64 << 20

    let wire: any Wire
    let role: WebSocketRole
    private let limits: WebSocketLimits
    let pool: BufferPool
    var decoder: WebSocketDecoder
    var messages: [WebSocketMessage] = []
    var end: End?
    var isPaused = false
    var isLingering = false
    var lingered = 0
    let changed = LoopCondition()

    var isWriting = false
    private var pendingControl: [UInt8] = []
    let writerDone = LoopCondition()
    private var hasSentClose = false

    var lastReceived: Instant
    var pulse: LoopTimer?
    var closeTimer: LoopTimer?

    /// Called once when the socket is no longer open, for senders that receive nothing.
    var onDisconnect: (() -> Void)?
    /// Takes each message as it comes, in place of `receive`; it must not suspend, and may close.
    var onMessage: ((WebSocketMessage) -> Void)? {
        didSet { deliverQueued() }
    }
    /// The code that the peer closed with; nil while it has not, or when it gave none.
    var closeCode: UInt16?

    enum End {
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
        // Unowned: `deinit` takes the callback away.
        wire.source.onEvents = { [unowned self] _ in readAvailable() }
        if !received.isEmpty { take(received.span) }
        readAvailable()
        if end == nil { schedulePulse() }
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
        endLingering()
    }

    /// Closes if nobody has yet, and waits until the peer has answered or the time is over.
    func finish() async {
        sendClose(WebSocketCloseCode.normal, "")
        while end == nil || isLingering { await changed.wait() }
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
            if isLingering { wire.shutdownWrite() } else if end != nil { wire.close() }
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

    func sendControl(_ opcode: WebSocketOpcode, _ payload: [UInt8]) {
        guard end == nil else { return }
        var frame: [UInt8] = []
        WebSocketFrame.append(opcode, payload, mask: mask(), to: &frame)
        guard !isWriting else {
            // A peer that floods us with pings and reads no pong gets only the latest of them.
            if opcode == .close || pendingControl.count < 1_024 { pendingControl.append(contentsOf: frame) }
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

    func sendClose(_ code: UInt16?, _ reason: String) {
        guard isOpen else { return }
        sendControl(.close, code.map { WebSocketFrame.closePayload(code: $0, reason: reason) } ?? [])
        hasSentClose = true
        notifyDisconnect()
        closeTimer = wire.loop.schedule(after: Self.closeTimeout) { [unowned self] in
            finish(.failed("the peer did not answer the closing handshake"))
        }
    }

    private func mask() -> UInt32? {
        role == .client ? UInt32.random(in: .min ... .max) : nil
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
