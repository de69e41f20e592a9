import Bytes
import Core
import HTTP
import Log
import Platform

/// The operations of one loop; each file beside its noun adds one.
package final class Endpoints {
    let services: Services
    let signIns: ActiveSignIns
    /// The jobs that are watched on this loop.
    let hub: LogHub
    let logPorts: LogPorts
    let healthDocument: [UInt8]
    let rates: RateLimits
    /// What the gates refused.
    let refusals: RefusalLog
    private var revocations: (any BusSubscription)?
    private var streams: [ObjectIdentifier: any LiveStream] = [:]
    private var isCheckingStreams = false

    /// A revocation that nobody told of, such as a disabled account's, or an expired token cuts streams this late at most.
    private static let streamCheckInterval = Duration.seconds(3)

    /// Makes the operations and begins to listen for revocations.
    package init(_ services: Services) {
        self.services = services
        refusals = RefusalLog(audit: services.audit, time: services.time, loop: services.loop)
        rates = RateLimits(services.settings.rates, services.buckets, loop: services.loop)
        signIns = ActiveSignIns(accounts: services.accounts, time: services.time, loop: services.loop)
        let jobs = services.jobs
        logPorts = LogPorts(
            store: services.log,
            tail: services.tail,
            bus: services.bus,
            clock: services.time,
            loadJob: { (id) async throws(StoreError) in try await jobs.job(id, scope: .system)?.value },
            makeWaiter: { [loop = services.loop] in LoopWaiter(loop) }
        )
        hub = LogHub(ports: logPorts)
        healthDocument = document { writer in
            writer.beginObject()
            writer.member("status", "ok")
            writer.member("version", services.settings.version)
            writer.endObject()
        }
        revocations = services.bus.subscribe(BusChannel.revoked) { [weak self] message in
            self?.revoked(message)
        }
    }

    /// Keeps a live stream until `release`, so that it ends with the right to it.
    func hold(_ stream: any LiveStream) {
        streams[ObjectIdentifier(stream)] = stream
        guard !isCheckingStreams else { return }
        isCheckingStreams = true
        services.loop.spawnLocal { await self.checkStreams() }
    }

    /// Forgets a stream that has ended.
    func release(_ stream: any LiveStream) {
        streams[ObjectIdentifier(stream)] = nil
    }

    private func revoked(_ message: [UInt8]?) {
        signIns.forget()
        guard let message, let signIn = SignInID(String(decoding: message, as: UTF8.self)) else { return }
        cut(.revoked) { $0.signIn == signIn }
    }

    /// Looks after the open streams from time to time, as long as there are any.
    private func checkStreams() async {
        while !streams.isEmpty {
            await services.loop.sleep(Self.streamCheckInterval)
            await endStreams()
        }
        isCheckingStreams = false
    }

    /// Ends the streams whose token has expired or whose sign-in does not stand any more.
    func endStreams() async {
        let now = services.time.now
        cut(.expired) { $0.isExpired(at: now) }
        for signIn in Set(streams.values.map(\.principal.signIn)) {
            // A store that is away cuts nobody: what it said last still holds.
            if let isActive = try? await signIns.isActive(signIn), !isActive { cut(.revoked) { $0.signIn == signIn } }
        }
    }

    private func cut(_ end: StreamEnd, where isMeant: (Principal) -> Bool) {
        for (key, stream) in streams where isMeant(stream.principal) {
            streams[key] = nil
            stream.cut(end)
        }
    }
}

/// The log's way to wait, filled with the loop's own.
private final class LoopWaiter: Waiter {
    private let condition = LoopCondition()
    private let loop: EventLoop

    init(_ loop: EventLoop) {
        self.loop = loop
    }

    func wait(timeout: Duration) async {
        _ = await condition.wait(timeout: timeout, on: loop)
    }

    func signal() {
        condition.signalAll()
    }
}
