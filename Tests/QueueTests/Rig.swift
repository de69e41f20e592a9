import Bytes
import Core
import Platform
import Queue
import TestSupport

/// One loop with one Redis and what the room makes of it.
final class Rig {
    let loop: EventLoop
    let redis: PrivateRedis
    let queue: Queue
    let clock = ManualTime(Timestamp(milliseconds: 1_700_000_000_000))

    private init(loop: EventLoop, redis: PrivateRedis) {
        self.loop = loop
        self.redis = redis
        queue = Queue(configuration: QueueConfiguration(socketPath: redis.socketPath), loop: loop, clock: clock)
    }

    /// Runs a test against a queue that is connected and whole.
    static func run(_ body: @escaping @Sendable (Rig) async throws -> Void) async throws {
        let loop = try EventLoop.start(name: "queue-test")
        defer { loop.stop() }
        try await loop.run {
            let rig = Rig(loop: loop, redis: try await PrivateRedis.start(on: loop))
            do {
                try await rig.queue.start()
                _ = await rig.queue.jobs.beginRebuild()
                await rig.queue.jobs.rebuilt()
                try await body(rig)
            } catch {
                await rig.end()
                throw error
            }
            await rig.end()
        }
    }

    private func end() async {
        await queue.close()
        await redis.stop()
    }

    /// Waits until something holds, looking again after each turn of a few milliseconds; false after five seconds.
    func eventually(_ holds: () async -> Bool) async -> Bool {
        let deadline = loop.now.advanced(by: .seconds(5))
        while loop.now < deadline {
            if await holds() { return true }
            await loop.sleep(.milliseconds(2))
        }
        return false
    }

    func hint(
        _ team: TeamID,
        _ placement: PlacementClass = .anywhere,
        priority: Int = 5,
        after delay: Duration = .zero
    ) -> JobHint {
        JobHint(
            job: JobID(at: clock.now),
            team: team,
            placement: placement,
            priority: priority,
            runAt: clock.now.adding(delay)
        )
    }
}

/// Collects what a subscription hears.
final class Mailbox {
    private(set) var heard: [[UInt8]?] = []
    private let arrived = LoopCondition()

    var messages: [[UInt8]] { heard.compactMap { $0 } }
    var losses: Int { heard.count { $0 == nil } }

    func take(_ message: [UInt8]?) {
        heard.append(message)
        arrived.signalAll()
    }

    func wait(on loop: EventLoop, until holds: (Mailbox) -> Bool) async -> Bool {
        while !holds(self) {
            guard await arrived.wait(timeout: .seconds(5), on: loop) else { return false }
        }
        return true
    }
}
