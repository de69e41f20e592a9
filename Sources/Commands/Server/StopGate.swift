import Platform

/// Tells every loop of a process once that it is time to stop.
final class StopGate: Sendable {
    private struct State {
        var isOpen = false
        var listeners: [@Sendable () -> Void] = []
    }

    private let state = Lock(State())

    /// Calls back when the gate opens, or at once when it is open.
    func onOpen(_ listener: @escaping @Sendable () -> Void) {
        let isOpen = state.withLock { state in
            if !state.isOpen { state.listeners.append(listener) }
            return state.isOpen
        }
        if isOpen { listener() }
    }

    /// Opens the gate; again changes nothing.
    func open() {
        let listeners = state.withLock { state in
            defer { state.listeners = [] }
            state.isOpen = true
            return state.listeners
        }
        for listener in listeners { listener() }
    }
}
