import Bytes
package import Core

/// The job queue in memory, under the same policy as the real one: teams in turn, then priority, then due time.
package final class InMemoryQueue: JobQueue {
    private let clock: any TimeSource
    private let bus: (any MessageBus)?
    private var waiting: [JobID: JobHint] = [:]
    private var rings: [PlacementClass: [TeamID]] = [:]
    private var isWhole = true
    private var turn = 0

    /// An empty, whole queue; `bus` hears of pushes on the wake channel.
    package init(clock: any TimeSource, bus: (any MessageBus)? = nil) {
        self.clock = clock
        self.bus = bus
    }

    /// Forgets everything, as a flush of the real one would.
    package func lose() {
        waiting = [:]
        rings = [:]
        isWhole = false
    }

    package func push(_ hints: [JobHint]) async {
        for hint in hints {
            waiting[hint.job] = hint
            if !rings[hint.placement, default: []].contains(hint.team) {
                rings[hint.placement, default: []].append(hint.team)
            }
        }
        if !hints.isEmpty { bus?.publish(BusChannel.wake, []) }
    }

    package func pop(classes: [PlacementClass], limit: Int) async -> QueuePop {
        guard isWhole else { return .lost }
        var taken: [JobID] = []
        var idle = 0
        turn += 1
        var next = turn
        while taken.count < limit, idle < classes.count {
            idle += 1
            if let job = takeNext(classes[next % classes.count]) {
                taken.append(job)
                idle = 0
            }
            next += 1
        }
        return .jobs(taken)
    }

    /// The first due job of the first team in the ring that has one; the team goes to the ring's end.
    private func takeNext(_ placement: PlacementClass) -> JobID? {
        for _ in rings[placement, default: []] {
            let team = rings[placement, default: []].removeFirst()
            let due = waiting.values.filter { $0.placement == placement && $0.team == team && $0.runAt <= clock.now }
            if waiting.values.contains(where: { $0.placement == placement && $0.team == team }) {
                rings[placement, default: []].append(team)
            }
            guard let first = due.min(by: Self.isServedFirst) else { continue }
            waiting[first.job] = nil
            return first.job
        }
        return nil
    }

    package func beginRebuild() async -> Bool {
        lose()
        return true
    }

    package func rebuilt() async { isWhole = true }

    private static func isServedFirst(_ left: JobHint, _ right: JobHint) -> Bool {
        (left.priority, left.runAt, left.job) < (right.priority, right.runAt, right.job)
    }
}
