import Platform

/// One flush to the disk for everybody who asks while the one before is under way; loop-confined.
final class GroupCommit {
    private let flush: () async throws -> Void
    private let changed = LoopCondition()
    private var isFlushing = false
    private var failed: (number: UInt64, error: any Error)?
    /// Flushes that have begun.
    private(set) var begun: UInt64 = 0
    /// Flushes that have ended, well or not.
    private(set) var ended: UInt64 = 0

    /// Commits by `flush`, which brings everything written before its call to the disk.
    init(flush: @escaping () async throws -> Void) { self.flush = flush }

    /// Returns when what was written before the call is on the disk.
    func commit() async throws {
        // A flush that has begun already may have missed it.
        let wanted = begun + 1
        while ended < wanted {
            guard !isFlushing else {
                await changed.wait()
                continue
            }
            isFlushing = true
            begun += 1
            let number = begun
            do {
                try await flush()
            } catch {
                failed = (number, error)
            }
            ended = number
            isFlushing = false
            changed.signalAll()
        }
        if let failed, failed.number == wanted { throw failed.error }
    }
}
