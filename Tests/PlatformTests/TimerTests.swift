import Platform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TimerTests {
    @Test func `timers fire in the order of their deadlines, equal ones in the order they were made`() async throws {
        let order = try await onLoop { loop in
            let log = Log()
            for (name, delay) in [(3, 6), (1, 2), (2, 4), (4, 8)] {
                _ = loop.schedule(after: .milliseconds(delay)) { log.entries.append(name) }
            }
            let done = LoopCondition()
            _ = loop.schedule(after: .milliseconds(10)) { done.signalAll() }
            await done.wait()
            return log.entries
        }
        #expect(order == [1, 2, 3, 4])
    }

    @Test func `a thousand timers fire in order and cancelled ones never`() async throws {
        try await onLoop { loop in
            let log = Log()
            var timers: [LoopTimer] = []
            for number in 0..<1000 {
                let delay = Duration.microseconds((number * 7919) % 3000)
                timers.append(loop.schedule(after: delay) { log.entries.append(number) })
            }
            for timer in timers where timers.firstIndex(where: { $0 === timer }).map({ $0 % 3 == 0 }) == true {
                timer.cancel()
            }
            await loop.sleep(.milliseconds(20))
            #expect(log.entries.count == 666)
            #expect(log.entries.allSatisfy { $0 % 3 != 0 })
            let delays = log.entries.map { ($0 * 7919) % 3000 }
            // Deadlines are measured from slightly different starts.
            #expect(zip(delays, delays.dropFirst()).allSatisfy { $0 <= $1 + 3000 })
        }
    }

    @Test func `a timer may cancel another that is due in the same turn`() async throws {
        try await onLoop { loop in
            let log = Log()
            var second: LoopTimer?
            _ = loop.schedule(after: .milliseconds(1)) {
                log.entries.append(1)
                second?.cancel()
            }
            second = loop.schedule(after: .milliseconds(1)) { log.entries.append(2) }
            await loop.sleep(.milliseconds(5))
            #expect(log.entries == [1])
        }
    }

    @Test func `a timer is never early and a short one is not a millisecond late`() async throws {
        try await onLoop { loop in
            var fastest = Duration.seconds(1)
            for _ in 0..<20 {
                let start = loop.now
                await loop.sleep(.microseconds(50))
                let elapsed = loop.now - start
                #expect(elapsed >= .microseconds(50))
                fastest = min(fastest, elapsed)
            }
            #expect(fastest < .microseconds(900))
        }
    }

    @Test func `cancellation ends a sleep`() async throws {
        try await onLoop { loop in
            let start = loop.now
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await loop.sleep(.seconds(3600)) }
                group.addTask { await loop.sleep(.milliseconds(2)) }
                await group.next()
                group.cancelAll()
            }
            #expect(loop.now - start < .seconds(60))
        }
    }

    @Test func `a sleep in a cancelled task returns at once, also when another thread cancels`() async throws {
        let loop = try EventLoop.start(name: "cancel")
        defer { loop.stop() }
        let sleeping = Tally()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = try? await loop.run {
                    sleeping.add()
                    await loop.sleep(.seconds(3600))
                    await loop.sleep(.seconds(3600))
                }
            }
            while sleeping.count == 0 { await Task.yield() }
            group.cancelAll()
        }
    }

    @Test func `a condition resumes all its waiters, and a timed wait tells what ended it`() async throws {
        try await onLoop { loop in
            let condition = LoopCondition()
            let log = Log()
            for number in 0..<3 {
                loop.spawnLocal {
                    await condition.wait()
                    log.entries.append(number)
                }
            }
            #expect(await condition.wait(timeout: .milliseconds(2), on: loop) == false)
            _ = loop.schedule(after: .milliseconds(1)) { condition.signalAll() }
            #expect(await condition.wait(timeout: .seconds(60), on: loop))
            await Task.yield()
            #expect(log.entries.sorted() == [0, 1, 2])
        }
    }

    @Test(arguments: [
        (Duration.nanoseconds(1), UInt64(1_000_001)), (.milliseconds(-1), 0), (.seconds(-5), 0),
        (.seconds(Int64.max), UInt64.max >> 1 + 1_000_000),
    ])
    func `instants move without overflow`(duration: Duration, expected: UInt64) {
        let moved = Instant(nanoseconds: 1_000_000).advanced(by: duration)
        #expect(duration > .seconds(10) ? moved.nanoseconds >= UInt64(Int64.max) : moved.nanoseconds == expected)
    }
}

private final class Log {
    var entries: [Int] = []
}
