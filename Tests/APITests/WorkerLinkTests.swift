import Bytes
import Core
import HTTP
import Link
import Platform
import Store
import Testing

@testable import API

/// The link's server end, with the worker in the test's hand.
@Suite struct WorkerLinkTests {
    private static func hello(_ running: [AttemptID] = []) -> WorkerControlMessage {
        .hello(HelloMessage(resuming: nil, slots: 1, agentVersion: nil, isolation: nil, running: running))
    }

    @Test func `a start that met a store that was away is marked with a later beat`() async throws {
        try await withAPI { world in
            let worker = try await world.worker()
            let jobs = WatchedJobStore(world.store.jobs)
            let services = world.services(jobs: jobs)
            let job = try await world.job(of: world.person())
            await services.queue.push([
                JobHint(
                    job: job.id,
                    team: job.teamID,
                    placement: .anywhere,
                    priority: job.priority,
                    runAt: job.runAt
                )
            ])
            let socket = WorkerSocket(world.loop) { socket in
                await ControlSession(services: services, worker: worker, channel: socket).run()
            }
            socket.say(Self.hello())
            socket.say(.claim(free: 1, received: 0))
            try #require(await socket.hears("\"claimed\""))
            func startedAt() async throws -> Timestamp? {
                try await world.store.jobs.job(job.id, scope: .system)?.value.startedAt
            }
            /// Whether a beat is acknowledged twice: the second time when everything of the first is done.
            func beats(_ serial: UInt64) async -> Bool {
                for number in [serial, serial + 1] {
                    socket.say(.beat(serial: number, running: [attempt]))
                    guard await socket.hears("\"serial\":\(number)") else { return false }
                }
                return true
            }
            let attempt = AttemptID(job: job.id, attempt: 1)
            jobs.startFailure = .unavailable("the store is away")
            socket.say(.started(attempt))
            #expect(await socket.wait { jobs.failedStarts == 1 })
            let said = world.time.now
            world.time.advance(by: .seconds(2))
            try #require(await beats(100))
            #expect(try await startedAt() == nil)
            jobs.startFailure = nil
            try #require(await beats(200))
            #expect(try await startedAt() == said)
            // Once it is marked, and what is not the worker's, costs the store nothing.
            jobs.startFailure = .unavailable("the store is away")
            let failed = jobs.failedStarts
            socket.say(.started(AttemptID(job: JobID(at: world.time.now), attempt: 1)))
            try #require(await beats(300))
            #expect(jobs.failedStarts == failed)
            await socket.leave()
        }
    }

    /// A bulk socket of a worker that has a transfer under way.
    private static func withTransfer(
        _ body: @escaping @Sendable (WorkerSocket, WorkspaceTransfer) async throws -> Void
    ) async throws {
        try await withAPI { world in
            let worker = try await world.worker()
            let replica = world.replicas[0]
            let lease = try await world.store.workers.openSession(
                worker.id,
                resuming: nil,
                slots: 1,
                now: world.time.now
            )
            _ = replica.services.links.open(
                worker.id,
                ControlHandle(lease: lease, loop: world.loop, send: { _ in }, close: { _ in })
            )
            let socket = WorkerSocket(world.loop) { socket in
                await BulkSession(
                    services: replica.services,
                    ports: replica.endpoints.logPorts,
                    worker: worker,
                    channel: socket
                ).run()
            }
            socket.say(.open(epoch: lease.epoch))
            _ = await socket.wait { !socket.frames.isEmpty }
            let transfer = try #require(replica.services.links.begin(worker.id))
            try await body(socket, transfer)
            await socket.leave()
        }
    }

    @Test func `credit for a workspace is one number, and its end comes once`() async throws {
        try await Self.withTransfer { socket, transfer in
            for _ in 0..<1_000 {
                socket.say(.transferCredit(transfer: transfer.number, bytes: 1_000))
                socket.say(.end(transfer: transfer.number, error: nil))
            }
            socket.say(.chunk(transfer: transfer.number, [1]))
            // An answer to a message behind all of these says that they were taken.
            socket.say(.open(epoch: 0))
            #expect(await socket.wait { socket.closed == LinkCloseCode.protocolError })
            guard case .end(nil) = await transfer.next(), case .outcome(.failed(.cancelled, _)) = await transfer.next(),
                case .credit(1_000_000) = await transfer.next()
            else {
                Issue.record("something else waited")
                return
            }
        }
    }

    @Test(arguments: [
        (WorkerBulkMessage.transferCredit(transfer: 1, bytes: 100 << 10), 10, 25),
        (.chunk(transfer: 1, [UInt8](repeating: 0, count: 100 << 10)), 10, 25),
        (.chunk(transfer: 1, [1]), WorkspaceTransfer.pieceLimit, 1),
    ])
    func `a worker that sends more for a workspace than it may is cut off`(
        message: WorkerBulkMessage,
        fitting: Int,
        more: Int
    ) async throws {
        try await Self.withTransfer { socket, transfer in
            try #require(transfer.number == 1)
            for _ in 0..<fitting { socket.say(message) }
            // The control: what fits in is taken, as the answer to a message behind it says.
            let answers = socket.frames.count
            socket.say(.records(AttemptID(job: JobID(at: APIWorld.start), attempt: 1), frames: []))
            #expect(await socket.wait { socket.frames.count > answers } && socket.closed == nil)
            for _ in 0..<more { socket.say(message) }
            #expect(await socket.wait { socket.closed == LinkCloseCode.protocolError })
            guard case .end(_?) = await transfer.next(), case .outcome(.failed(.cancelled, _)) = await transfer.next()
            else {
                Issue.record("it goes on")
                return
            }
        }
    }
}
