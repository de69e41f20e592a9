import Core
import Glibc
import Operations
import Platform
import Store

/// Everything that `errand up` runs, from an empty directory to a ready system.
final class Installation {
    private let configuration: Configuration
    private let log: StructuredLog
    private let loop: EventLoop
    private var data: DataDirectory?
    private var supervisor: Supervisor?
    private var parts: InstallationParts?
    private var housekeeping: AuditHousekeeping?
    private var isStarted = false
    private var makeReport: (() -> ReadyReport)?
    private var reportsDue = 0

    /// The administrator of the first start.
    static let adminEmail = "admin@localhost"

    init(_ configuration: Configuration, log: StructuredLog, loop: EventLoop) {
        self.configuration = configuration
        self.log = log
        self.loop = loop
    }

    /// Where clients reach the API.
    var url: String { parts?.publicURL ?? "" }

    /// What a person is told once all is ready.
    var greeting: [String] {
        guard let data, let parts else { return [] }
        var lines = ["sign in as \(Installation.adminEmail); the password is in \(data.secrets)/admin-password"]
        if parts.usesStandin {
            lines.append("no ANTHROPIC_API_KEY is set: the model is a stand-in that obeys `standin:` directives")
        }
        if parts.isKeyIdle {
            lines.append("ANTHROPIC_API_KEY serves nobody, the team it served is gone: name one by ERRAND_MODEL_TEAM")
        }
        if !SystemUser.isRoot {
            lines.append("not started by root: all parts and all jobs share your user id; see docs/threat-model.md")
        }
        return lines
    }

    /// Starts the parts in their order, telling each step.
    func start(_ tell: (String) -> Void) async throws {
        tell("opening \(configuration.dataDirectory)")
        let data = try await DataDirectory.open(configuration.dataDirectory, on: loop)
        self.data = data
        let postgres = try await PrivatePostgres.prepare(in: data, log: log, loop: loop)
        let redis = try await PrivateRedis.prepare(in: data, log: log, loop: loop)
        let tls = try await certificates(data)
        tell("starting PostgreSQL and Redis")
        let supervisor = Supervisor(services: [postgres.service, redis.service], log: log, loop: loop)
        self.supervisor = supervisor
        try await supervisor.start()
        tell("bringing the schema up to date")
        try await postgres.makeCurrent(on: loop)
        let parts = try await InstallationParts.prepare(
            configuration,
            data: data,
            databaseURL: postgres.url(role: .app),
            redisSocket: redis.socketPath,
            tls: tls,
            log: log,
            loop: loop
        )
        self.parts = parts
        tell(
            parts.usesStandin
                ? "starting the API, the worker and the model stand-in" : "starting the API and the worker"
        )
        for service in parts.services { supervisor.append(service) }
        try await supervisor.start()
        makeReport = {
            ReadyReport(
                url: parts.publicURL,
                caFile: tls.caFile,
                adminEmail: Installation.adminEmail,
                adminPasswordFile: "\(data.secrets)/admin-password",
                pid: getpid(),
                postgresURL: postgres.url(role: .app),
                redisSocket: redis.socketPath,
                apiPID: supervisor.pid(of: "api"),
                workerPIDs: [supervisor.pid(of: "worker")].compactMap { $0 }
            )
        }
        try await report()
        isStarted = true
        if configuration.auditKeepDays > 0 { keepHouse(data, postgres) }
        supervisor.onLaunch = { [weak self, loop] in loop.spawnLocal { try? await self?.report() } }
    }

    /// Stops what runs, in the reverse order; harmless after a failed start.
    func stop() async {
        makeReport = nil
        housekeeping?.stop()
        await data?.removeReady()
        await supervisor?.stop()
        // A report may have been under way before.
        await data?.removeReady()
    }

    /// Gives up a start that is still going on.
    func abandonStart() {
        guard let supervisor, !isStarted else { return }
        loop.spawnLocal { await supervisor.stop() }
    }

    /// Has the API read its certificate again.
    func reload() {
        if let pid = supervisor?.pid(of: "api") { kill(pid, SIGHUP) }
    }

    private func keepHouse(_ data: DataDirectory, _ postgres: PrivatePostgres) {
        let housekeeping = AuditHousekeeping(
            days: configuration.auditKeepDays,
            directory: data.root,
            databaseURL: postgres.url(role: .app),
            ownerURL: postgres.url(role: .owner),
            log: log,
            loop: loop
        )
        self.housekeeping = housekeeping
        loop.spawnLocal { await housekeeping.run() }
    }

    private func certificates(_ data: DataDirectory) async throws -> TLSFiles {
        if let certificate = configuration.tlsCertificate, let key = configuration.tlsKey {
            return TLSFiles(caFile: configuration.apiCA ?? certificate, certificateFile: certificate, keyFile: key)
        }
        return try await SelfSignedAuthority.ensure(in: data, hostNames: [configuration.listen.host], on: loop)
    }

    /// Writes who runs now: again whenever a service was started again, one writing at a time.
    private func report() async throws {
        reportsDue += 1
        guard reportsDue == 1 else { return }
        while reportsDue > 0, let data, let makeReport {
            let served = reportsDue
            defer { reportsDue -= served }
            try await data.writeReady(makeReport())
        }
    }
}
