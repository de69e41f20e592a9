import Bytes
import Core
import Platform

/// Whether sign-ins still stand, asked of the store at most once a second each and at once after a revocation.
final class ActiveSignIns {
    /// A revoked session is refused everywhere within this time, also when the bus is away.
    static let freshness = Duration.seconds(1)
    /// Bounds memory; past it all knowledge is forgotten.
    static let capacity = 10_000

    private let accounts: any AccountStore
    private let time: any TimeSource
    private let loop: EventLoop
    private var checked: [SignInID: (at: Instant, epoch: Int)] = [:]
    /// Raised by each revocation: what was asked before it is not believed after it.
    private var epoch = 0

    init(accounts: any AccountStore, time: any TimeSource, loop: EventLoop) {
        self.accounts = accounts
        self.time = time
        self.loop = loop
    }

    func isActive(_ signIn: SignInID) async throws(StoreError) -> Bool {
        if let known = checked[signIn], known.epoch == epoch, loop.now - known.at < Self.freshness { return true }
        let asked = epoch
        guard try await accounts.isActive(signIn, now: time.now) else {
            checked[signIn] = nil
            return false
        }
        if checked.count >= Self.capacity { checked.removeAll(keepingCapacity: true) }
        checked[signIn] = (loop.now, asked)
        return true
    }

    /// Believes nothing that was asked before now.
    func forget() { epoch += 1 }
}
