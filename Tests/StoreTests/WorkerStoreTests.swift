import Bytes
import Core
import Testing

@testable import Store

@Suite struct WorkerStoreTests {
    @Test func `an enrolment token is exchanged once and in time`() async throws {
        try await withWorld { world in
            let workers = world.store.workers
            let id = WorkerID(at: World.start)
            let end = World.start.adding(seconds: 60)
            try await workers.createWorker(id, name: "one", enrolmentHash: [1], expiresAt: end)
            await #expect(throws: StoreError.conflict(field: "name")) {
                try await workers.createWorker(
                    WorkerID(at: World.start),
                    name: "one",
                    enrolmentHash: [2],
                    expiresAt: end
                )
            }
            #expect(try await workers.enrol(enrolmentHash: [1], credentialHash: [9], now: end) == nil)
            #expect(try await workers.enrol(enrolmentHash: [3], credentialHash: [9], now: World.start) == nil)
            let winners = try await world.atOnce(10) { index in
                try await workers.enrol(enrolmentHash: [1], credentialHash: [UInt8(index)], now: World.start) == nil
                    ? 0 : 1
            }
            #expect(winners.reduce(0, +) == 1)
            let winner = UInt8(winners.firstIndex(of: 1) ?? 0)
            #expect(try await workers.worker(credentialHash: [winner])?.id == id)
            #expect(try await workers.worker(credentialHash: [99]) == nil)
        }
    }

    @Test func `an enrolment that is asked for again is answered as before, to the same credential only`() async throws
    {
        try await withWorld { world in
            let workers = world.store.workers
            let (id, other) = (WorkerID(at: World.start), WorkerID(at: World.start))
            let end = World.start.adding(seconds: 60)
            try await workers.createWorker(id, name: "one", enrolmentHash: [1], expiresAt: end)
            try await workers.createWorker(other, name: "two", enrolmentHash: [2], expiresAt: end)
            func enrol(_ token: UInt8, _ credential: UInt8, at seconds: Int = 0) async throws -> WorkerID? {
                let now = World.start.adding(seconds: seconds)
                return try await workers.enrol(enrolmentHash: [token], credentialHash: [credential], now: now)?.id
            }
            let both = try await world.atOnce(6) { _ in try await enrol(1, 9) }
            #expect(both.allSatisfy { $0 == id })
            // Its time counts for the first answer.
            #expect(try await enrol(1, 9, at: 3_600) == id)
            #expect(try await enrol(1, 8) == nil)
            #expect(try await enrol(3, 9) == nil)
            await #expect(throws: StoreError.conflict(field: "credential")) { try await enrol(2, 9) }
            #expect(try await enrol(2, 7) == other)
            #expect(try await world.acts(of: .installation).filter { $0.action == "worker.enrolled" }.count == 2)
            #expect(try await workers.revokeWorker(id))
            #expect(try await enrol(1, 9) == nil)
        }
    }

    @Test func `a session keeps its epoch when resumed and raises it otherwise`() async throws {
        try await withWorld { world in
            let workers = world.store.workers
            let first = try await world.worker()
            #expect(first.epoch == 1)
            let resumed = try await workers.openSession(first.worker, resuming: 1, slots: 2, now: World.start)
            #expect(resumed == first)
            let second = try await workers.openSession(first.worker, resuming: nil, slots: 2, now: World.start)
            #expect(second.epoch == 2)
            #expect(try await workers.openSession(first.worker, resuming: 1, slots: 2, now: World.start).epoch == 3)
            await #expect(throws: StoreError.notFound) {
                try await workers.openSession(WorkerID(at: World.start), resuming: nil, slots: 1, now: World.start)
            }
        }
    }

    @Test func `a beat renews the current lease only`() async throws {
        try await withWorld { world in
            let workers = world.store.workers
            let old = try await world.worker()
            let lease = try await workers.openSession(old.worker, resuming: nil, slots: 2, now: World.start)
            let now = World.start.adding(seconds: 5)
            #expect(try await !workers.beat(old, now: now))
            #expect(try await workers.beat(lease, now: now))
            #expect(try await workers.workers().first?.leaseUntil == now.adding(LeaseTimes.timeToLive))
            try await workers.shorten(lease, until: now.adding(seconds: 3))
            #expect(try await workers.workers().first?.leaseUntil == now.adding(seconds: 3))
            try await workers.shorten(lease, until: now.adding(seconds: 30))
            #expect(try await workers.workers().first?.leaseUntil == now.adding(seconds: 3))
            #expect(try await workers.beat(lease, now: now))
        }
    }

    @Test func `a revoked worker neither beats, opens nor is known by its credential`() async throws {
        try await withWorld { world in
            let workers = world.store.workers
            let lease = try await world.worker()
            _ = try await workers.enrol(
                enrolmentHash: lease.worker.uuidBytes,
                credentialHash: [9],
                now: World.start
            )
            #expect(try await workers.worker(credentialHash: [9])?.id == lease.worker)
            #expect(try await workers.revokeWorker(lease.worker))
            #expect(try await !workers.revokeWorker(WorkerID(at: World.start)))
            #expect(try await workers.worker(credentialHash: [9]) == nil)
            #expect(try await !workers.beat(lease, now: World.start))
            await #expect(throws: StoreError.notFound) {
                try await workers.openSession(lease.worker, resuming: lease.epoch, slots: 1, now: World.start)
            }
            #expect(try await workers.workers().first?.isRevoked == true)
        }
    }
}
