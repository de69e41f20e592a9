import Bytes
import HTTP
import Platform

/// One connection of a client, used for one request after the other.
final class ClientConnection: DeadlineOwner {
    let wire: any Wire
    let pool: BufferPool
    var input: ConnectionInput
    /// When it became idle.
    var idleSince: Instant
    /// Whether a request has been answered on it before; such a connection may turn out to be dead.
    var isReused = false
    /// An upload was broken off: whatever comes is the last answer.
    var isSpent = false
    private(set) var timedOut = false
    private var ownsWire = true
    private var budget = TurnBudget()
    private(set) lazy var deadline = ConnectionDeadline(loop: wire.loop, owner: self)

    init(wire: any Wire, pool: BufferPool) {
        self.wire = wire
        self.pool = pool
        input = ConnectionInput(pool: pool)
        idleSince = wire.loop.now
    }

    deinit {
        deadline.cancel()
        if ownsWire { wire.close() }
    }

    /// Hands the wire over to a WebSocket.
    func releaseWire() -> any Wire {
        ownsWire = false
        return wire
    }

    /// Whether the server speaks before it has the whole request: it refuses the rest.
    var hasEarlyAnswer: Bool {
        if input.isEmpty { _ = input.fill(from: wire) }
        if !input.isEmpty { isSpent = true }
        return isSpent
    }

    /// Whether the server has neither closed nor said anything since the last answer.
    var isUsable: Bool {
        guard !wire.isClosed, input.isEmpty else { return false }
        if case .blocked = input.fill(from: wire) { return true }
        return false
    }

    func write(_ bytes: [UInt8]) async throws(HTTPClientError) {
        do throws(TransportError) {
            try await wire.write(bytes)
        } catch {
            throw .connection(error)
        }
    }

    /// Reads a head, skipping interim answers.
    func readHead(isAnswerToHead: Bool, timeout: Duration) async throws(HTTPClientError) -> ResponseHead {
        deadline.set(timeout)
        defer { deadline.clear() }
        while true {
            var parser = ResponseHeadParser(isAnswerToHead: isAnswerToHead)
            let head = try await readHead(&parser)
            // 101 is final: the connection changes its protocol.
            if head.status >= 200 || head.status == 101 { return head }
        }
    }

    private func readHead(_ parser: inout ResponseHeadParser) async throws(HTTPClientError) -> ResponseHead {
        while true {
            if !input.isEmpty {
                do throws(HeadError) {
                    let result = try input.withBytes { (bytes) throws(HeadError) in try parser.parse(bytes) }
                    if let (head, length) = result {
                        input.consume(length)
                        return head
                    }
                } catch {
                    throw .malformedResponse(error.reason)
                }
            }
            switch await readMore() {
            case .bytes, .blocked: continue
            case .end: throw timedOut ? .timeout : .connection(.closed)
            case .failed(let error): throw timedOut ? .timeout : .connection(error)
            }
        }
    }

    /// Reads at least one byte, or tells why not.
    func readMore() async -> WireRead {
        while true {
            if wire.mustWait {
                await wire.awaitReadable()
                budget.restore()
            }
            let outcome = input.fill(from: wire)
            if case .blocked = outcome { continue }
            if case .bytes(let count) = outcome, budget.spend(count) { await Task.yield() }
            return outcome
        }
    }

    func deadlinePassed() {
        timedOut = true
        wire.interruptReading()
    }
}
