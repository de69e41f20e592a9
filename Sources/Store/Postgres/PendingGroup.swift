import Core
import Platform

/// A group that was sent and is not answered yet; the task that waits for it is resumed exactly once.
@safe final class PendingGroup {
    /// What ends it: the mark of its sync, or for a script the end of its results.
    enum Kind {
        case group
        case preparation(of: String)
        case script
    }

    let kind: Kind
    let sentAt: Instant
    private let stages: [String]
    private var results: [PostgresResult] = []
    private(set) var failure: StoreError?
    private var continuation: UnsafeContinuation<Void, Never>?
    private var isFinished = false

    /// A group whose statements have these names.
    init(_ kind: Kind, stages: [String], sentAt: Instant) {
        self.kind = kind
        self.stages = stages
        self.sentAt = sentAt
    }

    /// The name of the statement whose answer comes next.
    var stage: String { results.count < stages.count ? stages[results.count] : stages.last ?? "script" }

    func add(_ result: PostgresResult) {
        results.append(result)
    }

    /// Keeps the first failure: what follows it in the group is its consequence.
    func fail(_ error: StoreError) {
        failure = failure ?? error
    }

    /// Suspends the task until `finish`; `send` runs once the task can be resumed.
    func wait(sending send: () -> Void) async {
        unsafe await withUnsafeContinuation { waiting in
            unsafe continuation = waiting
            send()
        }
    }

    /// Resumes the task.
    func finish() {
        guard !isFinished else { return }
        isFinished = true
        let waiting = unsafe continuation
        unsafe continuation = nil
        unsafe waiting?.resume()
    }

    /// The answers, one for each statement.
    func outcome() throws(StoreError) -> [PostgresResult] {
        if let failure { throw failure }
        guard results.count == stages.count else {
            throw .failed(stage: "\(stage): \(results.count) answers to \(stages.count) statements", sqlState: "08P01")
        }
        return results
    }
}
