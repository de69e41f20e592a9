import Glibc
import Platform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EventLoopTests {
    @Test func `code stays on the loop after every kind of await`() async throws {
        let places = try await onLoop { loop in
            var places = [loop.isOnLoop]
            await plainAsync()
            places.append(loop.isOnLoop)
            await concurrentAsync()
            places.append(loop.isOnLoop)
            let inGroup = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 { group.addTask { loop.isOnLoop } }
                return await group.reduce(true) { $0 && $1 }
            }
            places += [inGroup, loop.isOnLoop]
            async let child = loop.isOnLoop
            places.append(await child)
            await Task.yield()
            places.append(loop.isOnLoop)
            await resumedByForeignThread()
            places.append(loop.isOnLoop)
            await loop.sleep(.milliseconds(1))
            places.append(loop.isOnLoop)
            places.append(await PlainActor().isOn(loop))
            places.append(loop.isOnLoop)
            loop.actor.assertIsolated()
            return places
        }
        #expect(places == Array(repeating: true, count: places.count))
    }

    @Test func `code isolated to the loop's actor keeps its isolation through plain async functions`() async throws {
        try await onLoop { loop in
            let counter = Counter()
            await counter.countAfterSleeping(on: loop)
            #expect(counter.count == 1)
        }
    }

    @Test func `run comes back with the value and with the error`() async throws {
        let loop = try EventLoop.start(name: "run")
        defer { loop.stop() }
        #expect(try await loop.run { EventLoop.current === loop })
        #expect(EventLoop.current == nil)
        await #expect(throws: PlatformError.self) {
            try await loop.run { throw PlatformError(stage: "test", errno: EIO) }
        }
    }

    @Test func `a call to another loop comes back before the next plain call`() async throws {
        let other = try EventLoop.start(name: "other")
        defer { other.stop() }
        let places = try await onLoop { loop in
            try await other.run { await plainAsync() }
            let afterVoid = await isOn(loop)
            let there = try await other.run { other.isOnLoop && !loop.isOnLoop }
            return [afterVoid, there, await isOn(loop)]
        }
        #expect(places == [true, true, true])
    }

    @Test func `ten thousand jobs from several threads all run`() async throws {
        let loop = try EventLoop.start(name: "many")
        defer { loop.stop() }
        let ran = Tally()
        let stray = Tally()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                group.addTask { @concurrent in
                    for _ in 0..<1000 {
                        loop.spawn {
                            if !loop.isOnLoop { stray.add() }
                            ran.add()
                        }
                    }
                }
            }
        }
        try await loop.run {
            while ran.count < 10_000 { await Task.yield() }
        }
        #expect(ran.count == 10_000)
        #expect(stray.count == 0)
    }

    @Test func `spawnLocal shares loop-confined values with its maker`() async throws {
        try await onLoop { loop in
            let counter = Counter()
            let done = LoopCondition()
            for _ in 0..<100 {
                loop.spawnLocal {
                    counter.count += 1
                    done.signalAll()
                }
            }
            while counter.count < 100 { await done.wait() }
            #expect(counter.count == 100)
        }
    }

    @Test func `a default actor stays exclusive when two loops call it`() async throws {
        let first = try EventLoop.start(name: "first")
        let second = try EventLoop.start(name: "second")
        defer {
            first.stop()
            second.stop()
        }
        let tally = PlainActor()
        await withTaskGroup(of: Void.self) { group in
            for loop in [first, second, first, second] {
                group.addTask {
                    _ = try? await loop.run { for _ in 0..<2000 { await tally.add() } }
                }
            }
        }
        #expect(await tally.total == 8000)
    }

    @Test func `runMain runs on a loop and returns to its thread`() throws {
        let place = try EventLoop.runMain { loop in
            await loop.sleep(.milliseconds(1))
            return loop.isOnLoop
        }
        #expect(place)
        #expect(EventLoop.current == nil)
    }

    @Test func `stopping resumes sleepers and source waiters`() async throws {
        let loop = try EventLoop.start(name: "stopping")
        let resumed = Tally()
        let pipe = try await loop.run { try makePipe() }
        try await loop.run {
            loop.spawn {
                await loop.sleep(.seconds(3600))
                resumed.add()
            }
            loop.spawnLocal {
                guard let source = try? Source(loop: loop, descriptor: OwnedDescriptor(pipe.read)) else { return }
                await source.readable()
                if source.isClosed { resumed.add() }
            }
            for _ in 0..<3 { await Task.yield() }
        }
        loop.stop()
        while resumed.count < 2 { await Task.yield() }
        close(pipe.write)
    }
}

private func plainAsync() async {}

private func isOn(_ loop: EventLoop) async -> Bool { loop.isOnLoop }

@concurrent private func concurrentAsync() async {}

private func resumedByForeignThread() async {
    await withCheckedContinuation { continuation in
        startThread { continuation.resume() }
    }
}

private final class Counter {
    var count = 0

    func countAfterSleeping(on loop: EventLoop) async {
        await loop.sleep(.milliseconds(1))
        loop.actor.assertIsolated()
        count += 1
    }
}

private actor PlainActor {
    private(set) var total = 0

    func isOn(_ loop: EventLoop) -> Bool { loop.isOnLoop }

    func add() {
        assertIsolated()
        total += 1
    }
}
