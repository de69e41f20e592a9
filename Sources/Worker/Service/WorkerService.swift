import Bytes
import Core
import HTTP
import Link
import Platform

/// The worker's life: linked to the API, claiming, running, reporting; and fenced when the link is away too long.
///
/// Loop-confined.
final class WorkerService {
    /// What the service is made of.
    struct Parts {
        let loop: EventLoop
        let transport: any LinkTransport
        let table: AttemptTable
        let desk: TransferDesk
        let epochs: EpochFile
        /// What `hello` says of this worker.
        let agentVersion: String?
        let isolation: String
        let report: (WorkerEvent) -> Void
    }

    /// A session that lived this long was a good one: the next wait begins short again.
    private static let settledAfter = Duration.seconds(10)
    /// Reports of ended jobs get this long when the worker shuts down.
    private static let reportLimit = Duration.seconds(10)

    private let parts: Parts
    private var loop: EventLoop { parts.loop }
    private var table: AttemptTable { parts.table }
    private var fence = SelfFence(margin: LeaseTimes.selfFenceMargin)
    private var fenceTimer: LoopTimer?
    private var timeToLive = LeaseTimes.timeToLive
    private var epoch: Int64?
    private var control: ControlLink?
    private var bulk: BulkLink?
    private let wake = LoopCondition()
    private var isDraining = false
    private var isOver = false
    private var fault: WorkerError?

    /// Prepares a service that resumes the session it knows from before.
    init(_ parts: Parts) {
        self.parts = parts
        epoch = parts.epochs.load()
        parts.table.onControlNews = { [weak self] in
            self?.control?.wake(); self?.wake.signalAll()
        }
        parts.table.onBulkNews = { [weak self] in self?.bulk?.wake() }
        parts.table.onUnprovable = { [weak self] in self?.abandonLease() }
        parts.desk.sendBulk = { [weak self] message in await self?.bulk?.send(message) ?? false }
        parts.desk.sendDone = { [weak self] transfer, outcome in
            self?.control?.send(.workspaceDone(transfer: transfer, outcome))
        }
        parts.desk.sendRemoved = { [weak self] project in self?.control?.send(.removed([project])) }
    }

    /// Serves until it has drained, or until the API refuses this worker for good.
    func run() async throws(WorkerError) {
        var backoff = Backoff()
        while !isOver {
            let began = loop.now
            let ending = await session()
            if let refusal = ending.refusal {
                table.isOpen = false
                table.stopAll(.fenced)
                await waitUntilIdle(limit: Self.reportLimit)
                throw refusal
            }
            parts.report(.linkLost(ending.description))
            if loop.now - began >= Self.settledAfter { backoff.reset() }
            if isOver { break }
            await pause(backoff.next(random: Double.random(in: 0...1)))
        }
        if let fault { throw fault }
    }

    /// Ends the worker because it cannot do its work any more; what runs is stopped and reported.
    func fail(_ fault: WorkerError) {
        guard self.fault == nil else { return }
        self.fault = fault
        // At once, before the end of a program that this has taken along is judged as its own.
        table.isOpen = false
        table.stopAll(.sandboxGone)
        loop.spawnLocal { [self] in await drain(limit: .zero) }
    }

    /// Ends the worker in good order: nothing new, running jobs get `limit`, then they are stopped.
    func drain(limit: Duration) async {
        guard !isDraining else { return }
        isDraining = true
        parts.report(.draining(running: table.held.count))
        table.isOpen = false
        table.stopUnstarted()
        table.onControlNews()
        await waitUntilIdle(limit: limit)
        table.stopAll(.shutdown)
        await waitUntilIdle(limit: Self.reportLimit)
        await waitUntilReported(limit: Self.reportLimit)
        isOver = true
        await control?.close()
        wake.signalAll()
    }

    private func waitUntilIdle(limit: Duration) async {
        await wait(limit: limit) { self.table.occupied > 0 }
    }

    private func waitUntilReported(limit: Duration) async {
        await wait(limit: limit) { !self.table.held.isEmpty || !self.table.released.isEmpty }
    }

    private func wait(limit: Duration, while isBusy: () -> Bool) async {
        let deadline = loop.now.advanced(by: limit)
        while isBusy(), loop.now < deadline { _ = await wake.wait(timeout: deadline - loop.now, on: loop) }
    }

    private func pause(_ duration: Duration) async {
        await wait(limit: duration) { !self.isOver }
    }
}

// MARK: - Sessions

extension WorkerService {
    /// How a session ended.
    private enum SessionEnd: CustomStringConvertible {
        case refused(Int)
        case unreachable(String)
        case closed(ControlEnding)

        /// Why the worker must stop for good, if it must.
        var refusal: WorkerError? {
            switch self {
            case .refused(let status) where status == 401 || status == 403:
                .refused("its credential is unknown or was revoked (\(status))")
            case .closed(.goodbye(.revoked)): .refused("it was revoked")
            case .refused, .unreachable, .closed: nil
            }
        }

        var description: String {
            switch self {
            case .refused(let status): "the API answered \(status)"
            case .unreachable(let text): text
            case .closed(.lost(let text)): text
            case .closed(.goodbye(let reason)): "the API said goodbye: \(reason.rawValue)"
            }
        }
    }

    /// One session from its control socket's beginning to its end.
    private func session() async -> SessionEnd {
        let channel: any WebSocketChannel
        do throws(LinkFault) {
            channel = try await parts.transport.open(
                LinkProtocol.controlPath,
                maximumMessage: LinkProtocol.controlFrameBytes
            )
        } catch {
            switch error {
            case .refused(let status): return .refused(status)
            case .unreachable(let text): return .unreachable(text)
            }
        }
        let link = ControlLink(channel, table: table, loop: loop)
        control = link
        link.onWelcome = { [weak self] welcome, sentAt in self?.welcomed(welcome, sentAt: sentAt) }
        link.onBeat = { [weak self] sentAt in self?.renew(sentAt: sentAt) }
        link.onWorkspace = { [weak self] request in self?.parts.desk.begin(request) }
        link.onRemove = { [weak self] projects in self?.parts.desk.remove(projects) }
        let hello = HelloMessage(
            resuming: epoch,
            slots: table.slots,
            agentVersion: parts.agentVersion,
            isolation: parts.isolation.cut(toBytes: LinkProtocol.textBytes),
            running: table.attempts
        )
        // A drain that came while the socket was being opened has found none to close.
        if isOver { await link.close() }
        let ending = await link.run(hello)
        control = nil
        await bulk?.close()
        parts.desk.cut()
        if ending == .goodbye(.leaseLost) { abandonLease() }
        return .closed(ending)
    }

    private func welcomed(_ welcome: WelcomeMessage, sentAt: Instant) {
        let isResumed = epoch == welcome.lease.epoch
        epoch = welcome.lease.epoch
        timeToLive = .milliseconds(welcome.timeToLiveMilliseconds)
        parts.report(.linked(epoch: welcome.lease.epoch))
        if !isResumed { parts.epochs.save(welcome.lease.epoch, on: loop, report: parts.report) }
        for attempt in welcome.stale { table.discard(attempt) }
        for point in welcome.resume { table.resume(point) }
        for attempt in welcome.cancelled { table.cancel(attempt) }
        renew(sentAt: sentAt)
        let link = control
        loop.spawnLocal { [self] in await keepBulk(beside: link, epoch: welcome.lease.epoch) }
    }

    /// Keeps a bulk socket open as long as its control socket is.
    private func keepBulk(beside link: ControlLink?, epoch: Int64) async {
        var backoff = Backoff()
        while let link, control === link, !isOver {
            let began = loop.now
            do throws(LinkFault) {
                let channel = try await parts.transport.open(
                    LinkProtocol.bulkPath,
                    maximumMessage: LinkProtocol.bulkFrameBytes
                )
                let socket = BulkLink(channel, table: table, desk: parts.desk, loop: loop)
                bulk = socket
                if control !== link { await socket.close() }
                await socket.run(epoch: epoch)
                if bulk === socket { bulk = nil }
                parts.desk.cut()
            } catch {
                // The control socket reports what is wrong with the API.
            }
            if loop.now - began >= Self.settledAfter { backoff.reset() }
            guard control === link else { return }
            await pause(backoff.next(random: Double.random(in: 0...1)))
        }
    }
}

// MARK: - The lease

extension WorkerService {
    private func renew(sentAt: Instant) {
        fence.renew(sentAt: sentAt, timeToLive: timeToLive)
        scheduleFence()
    }

    private func scheduleFence() {
        fenceTimer?.cancel()
        fenceTimer = fence.deadline.map { deadline in
            loop.schedule(after: deadline - loop.now) { [weak self] in self?.checkFence() }
        }
    }

    private func checkFence() {
        guard fence.expires(at: loop.now) else { return scheduleFence() }
        parts.report(.fenced)
        table.stopAll(.fenced)
    }

    /// Gives the lease up, because something of it cannot be reported any more: the API then takes the jobs back.
    private func abandonLease() {
        guard epoch != nil else { return }
        epoch = nil
        table.stopAll(.fenced)
        let link = control
        loop.spawnLocal { await link?.close() }
    }
}
