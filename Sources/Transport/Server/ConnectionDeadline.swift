import Platform

/// Who is told when a deadline has passed.
protocol DeadlineOwner: AnyObject {
    func deadlinePassed()
}

/// One timer for a connection's changing deadlines; moving a deadline later costs no timer operation.
final class ConnectionDeadline {
    private let loop: EventLoop
    // Unowned, because a weak reference would slow every other reference to the owner down; it cancels in time.
    private unowned let owner: any DeadlineOwner
    private var deadline: Instant?
    private var timer: LoopTimer?
    private var timerFires = Instant(nanoseconds: .max)

    init(loop: EventLoop, owner: any DeadlineOwner) {
        self.loop = loop
        self.owner = owner
    }

    func set(_ duration: Duration) {
        let moment = loop.now.advanced(by: duration)
        deadline = moment
        guard timerFires > moment else { return }
        timer?.cancel()
        arm(moment, after: duration)
    }

    /// Lets time pass without consequence; the timer, if any, finds nothing to do.
    func clear() {
        deadline = nil
    }

    /// Ends the timer, as the owner must before it goes.
    func cancel() {
        deadline = nil
        timer?.cancel()
        timer = nil
        timerFires = Instant(nanoseconds: .max)
    }

    private func arm(_ moment: Instant, after duration: Duration) {
        timerFires = moment
        timer = loop.schedule(after: duration) { [unowned self] in fire() }
    }

    private func fire() {
        timer = nil
        timerFires = Instant(nanoseconds: .max)
        guard let deadline else { return }
        let now = loop.now
        guard now >= deadline else { return arm(deadline, after: deadline - now) }
        self.deadline = nil
        owner.deadlinePassed()
    }
}
