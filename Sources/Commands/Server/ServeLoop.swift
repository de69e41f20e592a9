import API
import Auth
import Bytes
import Core
import Egress
import HTTP
import Operations
import Platform
import Queue
import Store
import Transport

/// What all loops of one API process share.
struct ServePlan: Sendable {
    var listen: SocketAddress
    var tls: TLSServerContext
    var limits: ServerLimits
    var proxies: TrustedProxies
    var cors: CORSPolicy
    var counter: ConnectionCounter
    var database: String
    var redis: QueueConfiguration
    var audit: AuditSigning
    var masterKeys: MasterKeyHolder
    var modelHosts: ModelHosts
    /// Whom https providers of models are trusted by.
    var modelTrust: TLSClientContext
    var outbox: OutboxPlan
    var keys: KeyRingFeed
    var breachedPasswords: (any BreachedPasswords)?
    var places: (any PlaceBook)?
    var passwords: PasswordPool
    var links: LinkRegistry
    var settings: ServiceSettings
    /// What a team may have unless it is given something else.
    var quotas: [QuotaName: Int64]
    var log: StructuredLog
    var drainTime: Duration
}

/// One loop's share of the API: its listener, its database sessions, its Redis connections and its operations.
final class ServeLoop {
    private let loop: EventLoop
    private let plan: ServePlan
    private let store: Store
    private let queue: Queue
    private let server: HTTPServer
    private let endpoints: Endpoints
    private let care: QueueCare?
    private let auditCare: AuditCare?
    private let outboxCare: OutboxCare?
    private let election: AuditElection
    private let stopped = LoopCondition()
    private var isStopping = false

    /// Builds the loop's parts; `tendsQueue` gives it the sweeps.
    init(_ plan: ServePlan, on loop: EventLoop, tendsQueue: Bool) throws {
        self.plan = plan
        self.loop = loop
        let time = SystemTime()
        store = try Store(configuration: StoreConfiguration(url: plan.database), loop: loop)
        queue = Queue(configuration: plan.redis, loop: loop, clock: time)
        let keys = plan.keys.keys
        let services = Services(
            loop: loop,
            time: time,
            accounts: store.accounts,
            teams: store.teams,
            invites: store.invites,
            endings: store.endings,
            projects: store.projects,
            jobs: store.jobs,
            workers: store.workers,
            log: store.log,
            audit: store.audit,
            auditCheckpoints: store.auditCheckpoints,
            providers: store.providers,
            identities: store.identities,
            providerTransport: ProviderConnector(loop: loop, tls: plan.modelTrust),
            modelKeys: store.modelKeys,
            modelCheck: ModelKeyInspector(loop: loop, tls: plan.modelTrust, hosts: plan.modelHosts),
            vault: SecretVault(keys: plan.masterKeys, store: store.secrets),
            queue: queue.jobs,
            tail: queue.tail,
            bus: queue.bus,
            buckets: queue.buckets,
            signInThrottle: store.signInThrottle,
            quotas: store.quotas,
            passwords: store.passwords,
            apiKeys: store.apiKeys,
            factors: store.factors,
            passkeys: store.passkeys,
            deviceGrants: store.deviceGrants,
            clients: store.clients,
            outbox: store.outbox,
            breachedPasswords: plan.breachedPasswords,
            places: plan.places,
            keys: keys.ring,
            verifier: AccessTokenVerifier(keys.ring),
            deviceTokens: keys.devices,
            passwordPool: plan.passwords,
            links: plan.links,
            settings: plan.settings,
            health: ProcessHealth(store: store, queue: queue, started: time.now)
        )
        endpoints = Endpoints(services)
        let router = Router(endpoints.routes)
        server = HTTPServer(
            loop: loop,
            listener: try ListeningSocket.bind(plan.listen, on: loop, reusePort: true, backlog: 1_024),
            tls: plan.tls,
            limits: plan.limits,
            trustedProxies: plan.proxies,
            cors: plan.cors,
            connectionCounter: plan.counter,
            respond: { await router.respond(to: $0) }
        )
        let rebuild = QueueRebuild(queue: queue.jobs, queued: store.jobs.queued)
        let election = try AuditElection(url: plan.database, loop: loop)
        self.election = election
        auditCare =
            tendsQueue
            ? AuditCare(
                audit: store.audit,
                checkpoints: store.auditCheckpoints,
                key: plan.audit.key,
                publicKey: plan.audit.publicKey,
                file: plan.audit.file,
                rhythm: plan.audit.rhythm,
                isElected: { await election.isElected() },
                time: time,
                loop: loop,
                onFault: { [log = plan.log] fault in log.error("audit log", .text("fault", fault)) }
            ) : nil
        outboxCare =
            tendsQueue
            ? OutboxCare(
                outbox: store.outbox,
                accounts: store.accounts,
                passwords: store.passwords,
                vault: services.vault,
                ways: try plan.outbox.ways(on: loop, tls: plan.modelTrust),
                time: time,
                loop: loop,
                onFault: { [log = plan.log] fault in log.error("outbox", .text("fault", fault)) }
            ) : nil
        care = tendsQueue ? QueueCare(services) { _ = try await rebuild.run() } : nil
        server.onFault = { [log = plan.log] fault in log.warning("connection fault", .text("fault", fault)) }
    }

    /// The address that this loop accepts on.
    var address: SocketAddress { server.address }

    /// Serves until the gate opens, then lets accepted requests finish.
    func run(until gate: StopGate, onReady: () -> Void) async throws {
        gate.onOpen { [reference = LoopReference(self, loop)] in reference.use { $0.stop() } }
        plan.keys.listen { [reference = LoopReference(endpoints, loop)] keys in
            reference.use { $0.replaceKeys(keys.ring, keys.devices) }
        }
        try await connect()
        // Before the first request is taken, and once for all loops.
        if care != nil {
            try await store.quotas.setDefaults(plan.quotas)
            try await store.outbox.setChannels(plan.outbox.channels)
        }
        onReady()
        loop.spawnLocal { await self.server.run() }
        if let care { loop.spawnLocal { await care.run() } }
        if let auditCare { loop.spawnLocal { await auditCare.run() } }
        if let outboxCare { loop.spawnLocal { await outboxCare.run() } }
        while !isStopping { await stopped.wait() }
        care?.stop()
        outboxCare?.stop()
        plan.links.drain()
        await server.drain(deadline: plan.drainTime)
        // The last requests are recorded by now.
        await auditCare?.close()
        // What a mail server has taken is written down, or it would go out again.
        await outboxCare?.ended()
        election.resign()
        await queue.close()
        await store.close()
        // A step that was under way has found the store closed.
        await care?.ended()
    }

    /// Refuses to serve a database whose secrets need keys that this server has not.
    private func registerMasterKeys() async throws {
        let ring = plan.masterKeys.ring
        let missing = try await store.secrets.register(ring.current.id, of: ring.keys.map(\.id))
        guard missing.isEmpty else {
            let names = missing.map(\.description).joined(separator: ", ")
            throw CommandFailure(
                "\(plan.masterKeys.path) lacks master keys that stored secrets need (\(names)): "
                    + "put the file of the other servers or of the backup there"
            )
        }
    }

    private func stop() {
        isStopping = true
        stopped.signalAll()
    }

    /// Waits for a database that is still starting; gives up after a minute, so that a supervisor can say why.
    private func connect() async throws {
        let end = loop.now.advanced(by: .seconds(60))
        while true {
            do throws(StoreError) {
                try await store.start()
                break
            } catch {
                guard case .unavailable = error, loop.now < end, !isStopping else { throw error }
                await loop.sleep(.milliseconds(200))
            }
        }
        try await registerMasterKeys()
        if try await !queue.start() { plan.log.warning("Redis is away: claims go to PostgreSQL until it is back") }
    }
}

/// The wall clock.
final class SystemTime: TimeSource {
    var now: Timestamp { WallClock.now() }
}
