import Bytes
import Core
import Platform

/// Whether sign-ins still stand, asked of the store at most once a second each and dropped at once on revocation.
final class ActiveSignIns {
    /// A revoked session is refused everywhere within this time, also when the bus is away.
    static let freshness = Duration.seconds(1)
    /// Bounds memory; past it the oldest knowledge is simply forgotten.
    static let capacity = 10_000

    private let accounts: any AccountStore
    private let time: any TimeSource
    private let loop: EventLoop
    private var checked: [SignInID: Instant] = [:]

    init(accounts: any AccountStore, time: any TimeSource, loop: EventLoop) {
        self.accounts = accounts
        self.time = time
        self.loop = loop
    }

    func isActive(_ signIn: SignInID) async throws(StoreError) -> Bool {
        if let at = checked[signIn], loop.now - at < ActiveSignIns.freshness { return true }
        guard try await accounts.isActive(signIn, now: time.now) else {
            checked[signIn] = nil
            return false
        }
        if checked.count >= ActiveSignIns.capacity { checked.removeAll(keepingCapacity: true) }
        checked[signIn] = loop.now
        return true
    }

    /// Forgets everything, so that the next request of each sign-in asks the store again.
    func forget() {
        checked.removeAll(keepingCapacity: true)
    }
}
