import Auth
import Platform

/// What is made of a set of signing keys.
struct TokenKeys: Sendable {
    let ring: KeyRing
    let devices: DeviceTokens

    /// Makes what signs for a server that is known by `publicURL`.
    init(_ set: SigningKeySet, publicURL: String) {
        ring = KeyRing(set, issuer: publicURL, audience: publicURL)
        devices = DeviceTokens(set)
    }
}

/// Hands new keys to every loop of a process.
final class KeyRingFeed: Sendable {
    private struct State {
        var keys: TokenKeys
        var listeners: [@Sendable (TokenKeys) -> Void] = []
    }

    private let state: Lock<State>

    /// A feed whose loops begin with `keys`.
    init(_ keys: TokenKeys) {
        state = Lock(State(keys: keys))
    }

    /// The keys of the moment.
    var keys: TokenKeys { state.withLock { $0.keys } }

    /// Calls back with the keys of the moment and with each that follow.
    func listen(_ listener: @escaping @Sendable (TokenKeys) -> Void) {
        let keys = state.withLock { state in
            state.listeners.append(listener)
            return state.keys
        }
        listener(keys)
    }

    /// Replaces the keys everywhere.
    func publish(_ keys: TokenKeys) {
        let listeners = state.withLock { state in
            state.keys = keys
            return state.listeners
        }
        for listener in listeners { listener(keys) }
    }
}
