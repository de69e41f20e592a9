import Bytes
import Core
import Platform
import Queue
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct OutageTests {
    @Test func `a Redis that evicts keys is refused`() async throws {
        let loop = try EventLoop.start(name: "queue-test")
        defer { loop.stop() }
        try await loop.run {
            let redis = try await PrivateRedis.start(on: loop, policy: "allkeys-lru")
            let clock = ManualTime(.init(milliseconds: 0))
            let queue = Queue(configuration: .init(socketPath: redis.socketPath), loop: loop, clock: clock)
            await #expect(throws: RedisError.evicts(policy: "allkeys-lru")) { try await queue.start() }
            await queue.close()
            await redis.stop()
        }
    }

    @Test func `wrong credentials are refused and right ones are not`() async throws {
        try await Rig.run { rig in
            _ = try await rig.redis.command("CONFIG SET requirepass correct")
            for (password, isRight) in [("wrong", false), ("correct", true)] {
                let configuration = QueueConfiguration(
                    address: .unix(path: rig.redis.socketPath),
                    credentials: RedisCredentials(user: nil, password: password)
                )
                let queue = Queue(configuration: configuration, loop: rig.loop, clock: rig.clock)
                do {
                    let isConnected = try await queue.start()
                    #expect(isConnected)
                    #expect(isRight)
                    #expect(await queue.ping())
                    let mailbox = Mailbox()
                    let subscription = queue.bus.subscribe("x") { mailbox.take($0) }
                    #expect(await mailbox.wait(on: rig.loop) { $0.losses > 0 })
                    subscription.cancel()
                } catch {
                    #expect(!isRight)
                }
                await queue.close()
            }
        }
    }

    @Test func `without Redis a start is told so and everything answers at once`() async throws {
        let loop = try EventLoop.start(name: "queue-test")
        defer { loop.stop() }
        try await loop.run {
            let clock = ManualTime(.init(milliseconds: 0))
            let queue = Queue(configuration: .init(socketPath: "/nonexistent/redis"), loop: loop, clock: clock)
            let isConnected = try await queue.start()
            #expect(!isConnected)
            #expect(await queue.ping() == false)
            guard case .lost = await queue.jobs.pop(classes: [.anywhere], limit: 1) else {
                Issue.record("a pop without Redis must say lost")
                return
            }
            #expect(await queue.jobs.beginRebuild() == false)
            #expect(!queue.buckets.isReachable)
            #expect(await queue.buckets.settle([]) == nil)
            await queue.close()
        }
    }

    @Test func `a killed Redis is known at once and found again`() async throws {
        try await Rig.run { rig in
            let mailbox = Mailbox()
            let subscription = rig.queue.bus.subscribe("x") { mailbox.take($0) }
            #expect(await mailbox.wait(on: rig.loop) { $0.losses == 1 })
            await rig.redis.kill()
            #expect(await mailbox.wait(on: rig.loop) { $0.losses == 2 })
            #expect(await rig.eventually { !rig.queue.isConnected })
            guard case .lost = await rig.queue.jobs.pop(classes: [.anywhere], limit: 1) else {
                Issue.record("a pop without Redis must say lost")
                return
            }
            #expect(!rig.queue.buckets.isReachable)
            try await rig.redis.restart()
            #expect(await rig.eventually { rig.queue.isConnected })
            #expect(rig.queue.buckets.isReachable)
            #expect(await mailbox.wait(on: rig.loop) { $0.losses == 3 })
            guard case .lost = await rig.queue.jobs.pop(classes: [.anywhere], limit: 1) else {
                Issue.record("an empty Redis has lost the queue")
                return
            }
            #expect(
                await rig.eventually {
                    rig.queue.bus.publish("x", [1])
                    return mailbox.messages.contains([1])
                }
            )
            subscription.cancel()
        }
    }

    @Test func `a Redis that hangs is given up after the command timeout`() async throws {
        try await Rig.run { rig in
            rig.redis.freeze()
            let began = rig.loop.now
            #expect(await rig.queue.ping() == false)
            #expect(rig.loop.now - began < .seconds(4))
            let second = rig.loop.now
            #expect(await rig.queue.ping() == false)
            #expect(rig.loop.now - second < .milliseconds(100))
            rig.redis.thaw()
            #expect(await rig.eventually { await rig.queue.ping() })
        }
    }

    @Test func `a flush in the middle of a rebuild leaves the queue lost`() async throws {
        try await Rig.run { rig in
            #expect(await rig.queue.jobs.beginRebuild())
            await rig.queue.jobs.push([rig.hint(TeamID(at: rig.clock.now))])
            _ = try await rig.redis.command("FLUSHALL")
            await rig.queue.jobs.rebuilt()
            guard case .lost = await rig.queue.jobs.pop(classes: [.anywhere], limit: 1) else {
                Issue.record("hints pushed before the flush are gone")
                return
            }
        }
    }

    @Test func `forgotten scripts are loaded again`() async throws {
        try await Rig.run { rig in
            _ = try await rig.redis.command("SCRIPT FLUSH SYNC")
            let hint = rig.hint(TeamID(at: rig.clock.now))
            await rig.queue.jobs.push([hint])
            guard case .jobs(let jobs) = await rig.queue.jobs.pop(classes: [.anywhere], limit: 1) else {
                Issue.record("the queue is whole")
                return
            }
            #expect(jobs == [hint.job])
        }
    }

    @Test func `ten thousand commands of one turn leave in few writes`() async throws {
        try await Rig.run { rig in
            let before = rig.queue.writes
            for number in 0..<10_000 { rig.queue.bus.publish("nobody", [UInt8(number & 0xff)]) }
            #expect(await rig.queue.ping())
            #expect(rig.queue.writes - before <= 4)
        }
    }
}
