import Bytes
import HTTP
import Platform

extension WebSocketConnection {
    /// Takes what the socket has, in the loop's event callback.
    func readAvailable() {
        var taken = 0
        var buffer = pool.take()
        while isLingering || (end == nil && !isPaused) {
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
            if isLingering { drop(count) } else { take(buffer.bytes) }
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
        case .bytes, .blocked: return
        }
        endLingering()
    }

    /// Decodes bytes and acts on what they say.
    func take(_ bytes: borrowing Span<UInt8>) {
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
        finish(.failed(fault.reason), lingers: true)
    }

    private func handle(_ event: WebSocketEvent) {
        guard end == nil else { return }
        switch event {
        case .message(let message):
            if let onMessage { return onMessage(message) }
            messages.append(message)
            isPaused = messages.count >= Self.maximumQueued
            changed.signalAll()
        case .ping(let payload): sendControl(.pong, payload)
        case .pong: break
        case .close(let code, _):
            closeCode = code
            sendClose(code, "")
            // The server ends the connection; a client has nothing more to wait for.
            finish(.closed, lingers: role == .server)
        }
    }

    /// Gives a new `onMessage` what came before it was set.
    func deliverQueued() {
        guard onMessage != nil else { return }
        let queued = messages
        messages = []
        for message in queued { onMessage?(message) }
        guard isPaused else { return }
        isPaused = false
        readAvailable()
    }
}
