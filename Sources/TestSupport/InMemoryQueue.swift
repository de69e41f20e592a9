import Bytes
package import Core

/// The job queue in memory, under the same policy as the real one: teams in turn, then priority, then due time.
package final class InMemoryQueue: JobQueue {
    private let clock: any TimeSource
    private let bus: (any MessageBus)?
    private var waiting: [JobID: JobHint] = [:]
    private var rings: [PlacementClass: [TeamID]] = [:]
    private var isWhole = true

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
        for placement in classes {
            var idleTurns = 0
            while taken.count < limit, idleTurns < rings[placement, default: []].count {
                let team = rings[placement, default: []].removeFirst()
                rings[placement, default: []].append(team)
                let due = waiting.values.filter {
                    $0.placement == placement && $0.team == team && $0.runAt <= clock.now
                }
                guard let first = due.min(by: Self.isServedFirst) else {
                    idleTurns += 1
                    continue
                }
                idleTurns = 0
                waiting[first.job] = nil
                taken.append(first.job)
            }
        }
        return .jobs(taken)
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
