import Bytes
import Core
import Platform

/// API keys that were admitted here, asked of the store again after a second and at once after a revocation.
final class ActiveKeys {
    /// A revoked key is refused everywhere within this time, also when the bus is away.
    static let freshness = Duration.seconds(1)
    /// Bounds memory; past it all knowledge is forgotten.
    static let capacity = 10_000

    private struct Verdict {
        let key: APIKey
        let at: Instant
        let epoch: Int
    }

    private let store: any KeyStore
    private let time: any TimeSource
    private let loop: EventLoop
    private var admitted: [[UInt8]: Verdict] = [:]
    private var standing: [APIKeyID: (at: Instant, epoch: Int)] = [:]
    /// Raised by each revocation: what was asked before it is not believed after it.
    private var epoch = 0

    init(_ store: any KeyStore, time: any TimeSource, loop: EventLoop) {
        self.store = store
        self.time = time
        self.loop = loop
    }

    /// A key that was admitted here, standing or not: whose request it is does not change.
    func known(_ hash: [UInt8]) -> APIKey? { admitted[hash]?.key }

    /// The key with this hash, while it stands.
    func key(_ hash: [UInt8]) async throws(StoreError) -> APIKey? {
        if let before = admitted[hash], before.epoch == epoch, loop.now - before.at < Self.freshness,
            !before.key.hasExpired(at: time.now)
        {
            return before.key
        }
        let asked = epoch
        guard let key = try await store.useKey(hash: hash, now: time.now) else {
            admitted[hash] = nil
            return nil
        }
        if admitted.count >= Self.capacity { admitted.removeAll(keepingCapacity: true) }
        admitted[hash] = Verdict(key: key, at: loop.now, epoch: asked)
        return key
    }

    /// Whether a key would still be admitted, for streams that it opened.
    func isActive(_ key: APIKeyID) async throws(StoreError) -> Bool {
        if let known = standing[key], known.epoch == epoch, loop.now - known.at < Self.freshness { return true }
        let asked = epoch
        guard try await store.isActive(key, now: time.now) else {
            standing[key] = nil
            return false
        }
        if standing.count >= Self.capacity { standing.removeAll(keepingCapacity: true) }
        standing[key] = (loop.now, asked)
        return true
    }

    /// Believes nothing that was asked before now.
    func forget() { epoch += 1 }
}
