import API
import Auth
import Platform

/// Master keys that a test rotates by hand; what is read again is what the test has put there.
final class MasterKeysInMemory: MasterKeys {
    private struct State {
        var read: MasterKeyRing
        var file: MasterKeyRing?
        var holds = false
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state: Lock<State>

    init(_ ring: MasterKeyRing) {
        state = Lock(State(read: ring, file: ring))
    }

    var ring: MasterKeyRing { state.withLock { $0.read } }

    func reread() async throws -> MasterKeyRing {
        if state.withLock({ $0.holds }) {
            await withCheckedContinuation { reader in state.withLock { $0.reader = reader } }
        }
        let file = state.withLock { state in
            if let file = state.file { state.read = file }
            return state.file
        }
        guard let file else { throw FileIsGone() }
        return file
    }

    /// Puts another file there; nil takes it away.
    func replace(_ ring: MasterKeyRing?) { state.withLock { $0.file = ring } }

    /// Lets the next one who reads again wait until `release`.
    func hold() { state.withLock { $0.holds = true } }

    /// Whether somebody waits.
    var isHeld: Bool { state.withLock { $0.reader != nil } }

    /// Lets whoever waits go on, and nobody wait any more.
    func release() {
        let reader = state.withLock { state in
            defer { (state.holds, state.reader) = (false, nil) }
            return state.reader
        }
        reader?.resume()
    }

    struct FileIsGone: Error {}
}
