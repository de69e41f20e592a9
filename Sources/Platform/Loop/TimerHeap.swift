/// A binary heap of timers, where each timer knows its place so that cancelling costs O(log n).
struct TimerHeap {
    private var timers: [LoopTimer] = []

    var first: LoopTimer? { timers.first }
    var count: Int { timers.count }

    mutating func insert(_ timer: LoopTimer) {
        timer.position = timers.count
        timers.append(timer)
        siftUp(from: timers.count - 1)
    }

    mutating func remove(_ timer: LoopTimer) {
        guard let position = timer.position else { return }
        timer.position = nil
        let last = timers.removeLast()
        guard last !== timer else { return }
        place(last, at: position)
        siftUp(from: position)
        if last.position == position { siftDown(from: position) }
    }

    /// Takes out every timer that is due, in order.
    mutating func takeDue(at now: Instant) -> [LoopTimer] {
        var due: [LoopTimer] = []
        while let timer = timers.first, timer.deadline <= now {
            remove(timer)
            due.append(timer)
        }
        return due
    }

    mutating func takeAll() -> [LoopTimer] {
        for timer in timers { timer.position = nil }
        defer { timers.removeAll() }
        return timers
    }

    private mutating func place(_ timer: LoopTimer, at position: Int) {
        timers[position] = timer
        timer.position = position
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        let timer = timers[child]
        while child > 0 {
            let parent = (child - 1) / 2
            guard timer.isBefore(timers[parent]) else { break }
            place(timers[parent], at: child)
            child = parent
        }
        place(timer, at: child)
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        let timer = timers[parent]
        while true {
            var child = 2 * parent + 1
            guard child < timers.count else { break }
            if child + 1 < timers.count, timers[child + 1].isBefore(timers[child]) { child += 1 }
            guard timers[child].isBefore(timer) else { break }
            place(timers[child], at: parent)
            parent = child
        }
        place(timer, at: parent)
    }
}
