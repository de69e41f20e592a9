/// A job with the executor identity it was enqueued for.
@safe struct LoopJob: Sendable {
    let job: UnownedJob
    let isIsolated: Bool
}

/// What other threads hand to a loop; the only state that they touch.
struct LoopInbox: Sendable {
    var jobs: [LoopJob] = []
    var callbacks: [@Sendable () -> Void] = []
    /// True while the loop will look here before it sleeps, so that nobody needs to write its eventfd.
    var isAwake = true
    var isStopping = false

    /// Marks the loop awake and tells whether it slept.
    mutating func wake() -> Bool {
        defer { isAwake = true }
        return !isAwake
    }
}
