import Bytes
import Core
import Log
import TestSupport
import Testing

/// What can happen to a job's log, in any order, between any two steps of a viewer.
private final class Weather {
    private let world: World
    private var random: SeededGenerator
    private var budget: Int

    init(_ world: World, seed: UInt64, steps: Int) {
        self.world = world
        random = SeededGenerator(seed: seed)
        budget = steps
    }

    /// One random event; false when the world is at its end.
    func step() -> Bool {
        guard !world.job.state.isFinal else { return false }
        budget -= 1
        guard budget > 0 else {
            world.store.failure = nil
            endJob()
            return true
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: write()
        case 45..<60: persist()
        case 60..<70: world.bus.deliver(Int.random(in: 1...4, using: &random))
        case 70..<74: world.bus.isHeld.toggle()
        case 74..<78: world.bus.interrupt()
        case 78..<81: world.tail.lose()
        case 81..<84: if world.job.state == .running { world.writeSilently(["unheard \(budget)"]) }
        case 84..<87: if world.job.state == .running { world.resend() }
        case 87..<89: world.store.failure = .unavailable("away")
        case 89..<96: world.store.failure = nil
        case 96..<98: changeAttempt()
        default: if world.job.state == .queued { world.claim() }
        }
        return true
    }

    func mayStep() { if Bool.random(using: &random) { _ = step() } }

    func isLucky(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

    private func write() {
        guard world.job.state == .running else { return }
        let count = Int.random(in: 1...5, using: &random)
        world.write((0..<count).map { "\(world.job.attempt)/\(budget)/\($0)\n" })
    }

    private func persist() {
        guard world.job.state == .running else { return }
        let done = world.durable[world.job.attempt, default: 0]
        let all = world.written[world.job.attempt, default: []].count
        world.persist(upTo: Int.random(in: done...all, using: &random))
    }

    private func changeAttempt() {
        guard world.job.state == .running, world.job.attempt < 4 else { return }
        world.loseWorker(mayRetry: true)
    }

    private func endJob() {
        if world.job.state == .queued { world.claim() }
        if Bool.random(using: &random) { world.finish() } else { world.loseWorker(mayRetry: false) }
    }
}

@Suite struct RandomFollowTests {
    @Test(arguments: 0..<300)
    func `whatever happens, a viewer sees one to n of each attempt once`(seed: Int) async throws {
        let world = World(tailCapacity: 200)
        let weather = Weather(world, seed: UInt64(seed), steps: 400)
        let hub = world.hub(ringCapacity: 1_500)
        let viewer = Viewer()
        var follower = hub.follow(world.job.id, after: .start) { _ in Array("{}".utf8) }
        var turns = 0
        while !viewer.isComplete {
            turns += 1
            try #require(turns < 20_000, "a viewer that makes no headway")
            do {
                if turns == 1 {
                    viewer.take(try await follower.next(), in: world)
                    world.store.onCall = weather.mayStep
                    world.tail.onCall = weather.mayStep
                    world.onWait = { weather.isLucky(4) ? false : weather.step() }
                }
                let events = try await follower.next()
                viewer.take(events, in: world)
            } catch StoreError.unavailable {
                world.store.failure = nil
            }
            while weather.isLucky(3) { _ = weather.step() }
            if weather.isLucky(5), !viewer.isComplete {
                follower.close()
                follower = hub.follow(world.job.id, after: viewer.position) { _ in Array("{}".utf8) }
            }
        }
        follower.close()
        viewer.check(against: world)
        #expect(hub.watchedJobs == 0)
    }
}
