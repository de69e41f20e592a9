import Bytes
import Core
import HTTP
import Link
import Log
import Platform

/// One bulk socket of a worker: records into the job log, and workspaces both ways.
final class BulkSession {
    private let services: Services
    private let ports: LogPorts
    private let worker: WorkerRecord
    private let channel: any WebSocketChannel
    // A transfer's window of chunks and an answer per attempt fit many times over.
    private let outbox = LoopOutbox(limit: 8_192)
    private var granter = CreditGranter(window: LinkProtocol.recordWindow)
    private let ownership: AttemptOwnership
    private var ingests: [AttemptID: Intake] = [:]

    /// One attempt's ingest with the cost of what it has not made durable yet.
    private final class Intake {
        let ingest: LogIngest
        var unsettled: [(seq: UInt64, bytes: Int)] = []

        init(_ ingest: LogIngest) { self.ingest = ingest }
    }

    init(services: Services, ports: LogPorts, worker: WorkerRecord, channel: any WebSocketChannel) {
        self.services = services
        self.ports = ports
        self.worker = worker
        self.channel = channel
        ownership = AttemptOwnership(of: worker.id, jobs: services.jobs)
    }

    /// Serves the socket until it closes.
    func run() async {
        guard let (opening, _) = await nextMessage(), case .open(let epoch) = opening else { return }
        guard let current = try? await services.workers.beat(lease(epoch), now: services.time.now), current else {
            return await channel.close(code: LinkCloseCode.leaseLost, reason: "the epoch is not current")
        }
        let loop = services.loop
        let place = services.links.open(
            worker.id,
            BulkHandle(
                loop: loop,
                send: { [box = LoopReference(self, loop)] message in box.use { $0.outbox.put(message.encoded()) } }
            )
        )
        loop.spawnLocal { await self.writeLoop() }
        grantRecords()
        while let (message, cost) = await nextMessage() {
            guard await take(message, cost: cost) else { break }
        }
        for intake in ingests.values { intake.ingest.close() }
        outbox.close()
        services.links.closeBulk(worker.id, opening: place)
    }

    private func lease(_ epoch: Int64) -> WorkerLease { WorkerLease(worker: worker.id, epoch: epoch) }

    private func nextMessage() async -> (WorkerBulkMessage, cost: Int)? {
        guard let message = try? await channel.receive(), case .binary(let frame) = message else { return nil }
        do throws(LinkError) {
            return (try WorkerBulkMessage(decoding: frame), frame.count)
        } catch {
            await channel.close(code: LinkCloseCode.protocolError, reason: error.description)
            return nil
        }
    }

    private func take(_ message: WorkerBulkMessage, cost: Int) async -> Bool {
        switch message {
        case .open:
            await channel.close(code: LinkCloseCode.protocolError, reason: "open came twice")
            return false
        case .records(let attempt, let frames):
            guard granter.received(cost) else {
                await channel.close(code: LinkCloseCode.protocolError, reason: "records without credit")
                return false
            }
            return await take(frames, of: attempt, cost: cost)
        case .chunk(let number, let bytes): return await deliver(.chunk(bytes), to: number)
        case .end(let number, let error): return await deliver(.end(error: error), to: number)
        case .transferCredit(let number, let bytes): return await deliver(.credit(Int(bytes)), to: number)
        }
    }

    /// Hands what came to its transfer, which may be over; false when the session must end.
    private func deliver(_ event: WorkspaceTransfer.Event, to number: UInt64) async -> Bool {
        guard let transfer = services.links.transfer(number, of: worker.id) else { return true }
        if transfer.deliver(event) { return true }
        await channel.close(code: LinkCloseCode.protocolError, reason: "more for a workspace than was asked for")
        return false
    }

    /// Takes one message of records; false when the session must end, because storage cannot say where the log stands.
    private func take(_ frames: [UInt8], of attempt: AttemptID, cost: Int) async -> Bool {
        if ingests[attempt] == nil {
            guard let isOwn = try? await ownership.contains(attempt) else { return await endWithoutStore() }
            guard isOwn else {
                outbox.put(APIBulkMessage.stale(attempt).encoded())
                settle(cost)
                return true
            }
        }
        guard let intake = await intake(attempt) else { return await endWithoutStore() }
        await take(frames, of: attempt, cost: cost, into: intake)
        return true
    }

    /// Asked for what it has freed already, the worker would have to give its lease up: it comes back instead.
    private func endWithoutStore() async -> Bool {
        await channel.close(code: LinkCloseCode.goingAway, reason: "the store is not available, try again")
        return false
    }

    private func take(_ frames: [UInt8], of attempt: AttemptID, cost: Int, into intake: Intake) async {
        // An empty batch says that the attempt's log has ended, so that nothing waits for company.
        guard !frames.isEmpty else {
            intake.ingest.flush()
            return settle(cost)
        }
        guard let records = LogRecordCodec.decode(frames), let last = records.last else {
            outbox.put(APIBulkMessage.expected(attempt, next: intake.ingest.next).encoded())
            return settle(cost)
        }
        // Repeats wait for nothing: what stored them was answered before, so nothing would settle their cost.
        guard last.seq >= intake.ingest.next else { return settle(cost) }
        intake.unsettled.append((last.seq, cost))
        switch await intake.ingest.receive(records) {
        case .accepted: break
        case .expected(let next):
            outbox.put(APIBulkMessage.expected(attempt, next: next).encoded())
            settleLast(intake)
        case .stale:
            outbox.put(APIBulkMessage.stale(attempt).encoded())
            settleLast(intake)
        case .overCredit:
            outbox.put(APIBulkMessage.expected(attempt, next: intake.ingest.next).encoded())
            settleLast(intake)
        }
    }

    /// The ingest of an attempt, begun where storage stands; nil when storage is away.
    private func intake(_ attempt: AttemptID) async -> Intake? {
        if let known = ingests[attempt], !known.ingest.isRetired { return known }
        guard let durable = try? await services.log.durable(attempt) else { return nil }
        let intake = Intake(LogIngest(attempt, durable: durable, ports: ports))
        ingests[attempt] = intake
        // The last answer of a former socket may be lost, and what it answered is not stored, nor answered, again.
        if durable > 0 { outbox.put(APIBulkMessage.durable(attempt, seq: durable).encoded()) }
        services.loop.spawnLocal {
            await intake.ingest.run { answer in self.answer(answer, attempt, intake) }
            if self.ingests[attempt] === intake { self.ingests[attempt] = nil }
        }
        return intake
    }

    private func answer(_ answer: LogIngest.Answer, _ attempt: AttemptID, _ intake: Intake) {
        switch answer {
        case .durable(let seq):
            outbox.put(APIBulkMessage.durable(attempt, seq: seq).encoded())
            let done = intake.unsettled.prefix { $0.seq <= seq }
            intake.unsettled.removeFirst(done.count)
            settle(done.reduce(0) { $0 + $1.bytes })
        case .expected(let next):
            outbox.put(APIBulkMessage.expected(attempt, next: next).encoded())
            settleAll(intake)
        case .stale:
            outbox.put(APIBulkMessage.stale(attempt).encoded())
            intake.ingest.close()
            settleAll(intake)
        case .delayed: break
        }
    }

    private func settleLast(_ intake: Intake) {
        if let last = intake.unsettled.popLast() { settle(last.bytes) }
    }

    private func settleAll(_ intake: Intake) {
        let bytes = intake.unsettled.reduce(0) { $0 + $1.bytes }
        intake.unsettled.removeAll()
        settle(bytes)
    }

    private func settle(_ bytes: Int) {
        granter.consume(bytes)
        grantRecords()
    }

    private func grantRecords() {
        if let bytes = granter.grant() { outbox.put(APIBulkMessage.credit(bytes: bytes).encoded()) }
    }

    private func writeLoop() async {
        while let frame = await outbox.next() {
            do { try await channel.send(binary: frame) } catch { return }
        }
        await channel.close(code: LinkCloseCode.goingAway, reason: "")
    }
}
