/// A callback that a loop runs once at a time; loop-confined.
package final class LoopTimer {
    let deadline: Instant
    let sequence: UInt64
    /// The place in the heap, or nil when the timer is not in it.
    var position: Int?
    private var body: (() -> Void)?
    private unowned let loop: EventLoop

    init(deadline: Instant, sequence: UInt64, loop: EventLoop, body: @escaping () -> Void) {
        self.deadline = deadline
        self.sequence = sequence
        self.loop = loop
        self.body = body
    }

    /// Takes the timer off, so that its callback will not run; nothing happens when it already ran.
    package func cancel() {
        body = nil
        if position != nil { loop.remove(self) }
    }

    func fire() {
        let body = self.body
        self.body = nil
        body?()
    }

    func isBefore(_ other: LoopTimer) -> Bool {
        deadline == other.deadline ? sequence < other.sequence : deadline < other.deadline
    }
}
