import HTTP
import Platform

extension WebSocketConnection {
    /// Notes the end and lets go of the wire: at once, or after lingering for a peer that may still be sending.
    func finish(_ how: End, lingers: Bool = false) {
        guard end == nil else { return }
        end = how
        onMessage = nil
        pulse?.cancel()
        closeTimer?.cancel()
        if lingers, !wire.isClosed {
            linger()
        } else {
            release(how)
        }
        changed.signalAll()
        writerDone.signalAll()
        notifyDisconnect()
    }

    /// Ends our half and drops what still comes, for a while: closing with unread bytes would reset our close frame away.
    private func linger() {
        isLingering = true
        if !isWriting { wire.shutdownWrite() }
        closeTimer = wire.loop.schedule(after: Self.closeTimeout) { [unowned self] in endLingering() }
    }

    /// Counts what came after the end.
    func drop(_ count: Int) {
        lingered += count
        if lingered >= Self.lingeredBytes { endLingering() }
    }

    /// Lets go of the wire.
    func endLingering() {
        guard isLingering else { return }
        isLingering = false
        closeTimer?.cancel()
        wire.source.onEvents = nil
        wire.close()
        changed.signalAll()
        writerDone.signalAll()
    }

    private func release(_ how: End) {
        wire.source.onEvents = nil
        if isWriting {
            // A stalled writer would keep the wire; what it has not sent by now is not wanted any more.
            if case .failed = how { wire.close() }
        } else {
            wire.close()
        }
    }

    /// Tells once that the socket is no longer open.
    func notifyDisconnect() {
        let notify = onDisconnect
        onDisconnect = nil
        notify?()
    }
}
