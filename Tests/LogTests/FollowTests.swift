import Bytes
import Core
import Log
import TestSupport
import Testing

@Suite struct FollowTests {
    private func drain(_ world: World, after position: LogPosition = .start, hub: LogHub? = nil) async throws -> Viewer
    {
        let viewer = Viewer()
        let follower = (hub ?? world.hub()).follow(world.job.id, after: position) { _ in Array("{}".utf8) }
        defer { follower.close() }
        while case let events = try await follower.next(), !events.isEmpty { viewer.take(events, in: world) }
        return viewer
    }

    @Test func `a finished job's stream is its state, start, records and end`() async throws {
        let world = World()
        world.claim()
        world.write(["a", "b", "c"])
        world.finish()
        let viewer = try await drain(world)
        #expect(
            viewer.types == ["job:state", "job:started"] + Array(repeating: "job:output", count: 3) + ["job:completed"]
        )
        viewer.check(against: world)
        #expect(viewer.last["records"]?.integer == 3)
        #expect(viewer.last["bytes"]?.integer == 3)
        #expect(viewer.last["sha256"]?.string == String(repeating: "07", count: 32))
        #expect(world.bus.subscriberCount == 0)
    }

    @Test(arguments: [0, 1, 2, 3]) func `a reader resumes after any record`(seq: UInt64) async throws {
        let world = World()
        world.claim()
        world.write(["a", "b", "c"])
        world.finish()
        let viewer = try await drain(world, after: LogPosition(attempt: 1, seq: seq))
        #expect(viewer.types.filter { $0 == "job:output" }.count == 3 - Int(seq))
        #expect(viewer.isComplete)
    }

    @Test func `live records arrive before they are durable`() async throws {
        let world = World()
        world.claim()
        let follower = world.hub().follow(world.job.id, after: .start) { _ in Array("{}".utf8) }
        defer { follower.close() }
        _ = try await follower.next()
        #expect(try await follower.next().count == 1, "job:started")
        world.onWait = {
            world.onWait = { false }
            world.write(["live"])
            return true
        }
        let events = try await follower.next()
        #expect(events.last?.position == LogPosition(attempt: 1, seq: 1))
        #expect(try await world.store.durable(world.attempt) == 0)
    }

    @Test func `a viewer that fell off the ring continues from storage`() async throws {
        let world = World(tailCapacity: 1)
        world.claim()
        let hub = world.hub(ringCapacity: 1)
        let follower = hub.follow(world.job.id, after: .start) { _ in Array("{}".utf8) }
        defer { follower.close() }
        let viewer = Viewer()
        viewer.take(try await follower.next(), in: world)
        for index in 0..<500 { world.write(["line \(index)"]) }
        world.finish()
        while case let events = try await follower.next(), !events.isEmpty { viewer.take(events, in: world) }
        viewer.check(against: world)
        #expect(viewer.isComplete)
    }

    @Test func `without bus and tail the poll finds what is stored`() async throws {
        let world = World()
        world.bus.isAway = true
        world.claim()
        let follower = world.hub().follow(world.job.id, after: .start) { _ in Array("{}".utf8) }
        defer { follower.close() }
        let viewer = Viewer()
        viewer.take(try await follower.next(), in: world)
        world.write(["unheard"])
        world.tail.lose()
        world.persistAll()
        viewer.take(try await follower.next(), in: world)
        #expect(viewer.position == LogPosition(attempt: 1, seq: 1))
        viewer.check(against: world)
    }

    @Test func `a new attempt resets and cuts what was never durable`() async throws {
        let world = World()
        world.claim()
        world.write(["a", "b", "c"])
        world.persist(upTo: 2)
        world.loseWorker(mayRetry: true)
        world.claim()
        world.write(["d"])
        world.finish()
        let viewer = try await drain(world, after: LogPosition(attempt: 1, seq: 3))
        #expect(viewer.types == ["job:state", "reset", "job:started", "job:output", "job:completed"])
        #expect(viewer.position == LogPosition(attempt: 2, seq: 1))
    }

    @Test(arguments: [false, true])
    func `a job that fails with its worker says which records were cut`(isLogDamaged: Bool) async throws {
        let world = World()
        world.claim()
        world.write(["a", "b", "c"])
        world.persist(upTo: 1)
        world.loseWorker(mayRetry: false, isLogDamaged: isLogDamaged)
        let viewer = try await drain(world, after: LogPosition(attempt: 1, seq: 3))
        #expect(viewer.types == ["job:state", "reset", "job:error", "job:completed"])
        #expect(viewer.last["records"]?.integer == (isLogDamaged ? nil : 1))
        // One that has seen no more than was stored is told of no cut.
        let short = try await drain(world, after: LogPosition(attempt: 1, seq: 1))
        #expect(short.types == ["job:state", "job:error", "job:completed"])
    }

    @Test func `records that retention took away are named as a gap`() async throws {
        let world = World()
        world.claim()
        world.write(["a", "b", "c", "d"])
        world.finish()
        world.store.forget(world.attempt, through: 2)
        let viewer = try await drain(world)
        #expect(viewer.gaps == [1...2])
        #expect(viewer.isComplete)
    }

    @Test func `a job that never ran ends at once`() async throws {
        let world = World()
        world.job.state = .cancelled
        let viewer = try await drain(world)
        #expect(viewer.types == ["job:state", "job:completed"])
    }

    @Test func `an outage of the store before the first event is an error`() async throws {
        let world = World()
        world.store.failure = .unavailable("down")
        let follower = world.hub().follow(world.job.id, after: .start) { _ in Array("{}".utf8) }
        defer { follower.close() }
        await #expect(throws: StoreError.unavailable("down")) { try await follower.next() }
    }

    @Test func `an outage of the store in the middle is waited out`() async throws {
        let world = World()
        world.claim()
        world.write(["a"])
        let follower = world.hub().follow(world.job.id, after: .start) { _ in Array("{}".utf8) }
        defer { follower.close() }
        let viewer = Viewer()
        viewer.take(try await follower.next(), in: world)
        world.store.failure = .unavailable("down")
        world.onWait = {
            world.store.failure = nil
            if !world.job.state.isFinal { world.finish() }
            return false
        }
        while case let events = try await follower.next(), !events.isEmpty { viewer.take(events, in: world) }
        viewer.check(against: world)
        #expect(viewer.isComplete)
    }

    @Test func `viewers of one job share one subscription and leave nothing behind`() async throws {
        let world = World()
        world.claim()
        let hub = world.hub()
        let followers = (0..<10).map { _ in hub.follow(world.job.id, after: .start) { _ in [] } }
        #expect(hub.watchedJobs == 1)
        #expect(world.bus.subscriberCount == 2)
        for follower in followers { follower.close() }
        #expect(hub.watchedJobs == 0)
        #expect(world.bus.subscriberCount == 0)
        #expect(try await followers[0].next().isEmpty)
    }
}
