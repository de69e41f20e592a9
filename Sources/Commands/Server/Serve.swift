import API
import Auth
import Bytes
import Core
import Egress
import Glibc
import HTTP
import Operations
package import Platform
import Queue
import Transport

/// `errand serve`: the API, one event loop per core, on the database and Redis that it is given.
package struct Serve: Verb {
    package static let words = ["serve"]
    package static let usage = ""
    package static let summary = "Serve the API; settings come from ERRAND_* (see errand config)."
    package static let signals = [SIGTERM, SIGINT, SIGHUP]

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let configuration = try Configuration.takeOver()
        let log = try StructuredLog(level: configuration.logLevel)
        for secret in configuration.secrets { log.conceal(secret) }
        let (plan, watch) = try await plan(configuration, log, on: loop)
        let gate = StopGate()
        let signals = try SignalStream(Serve.signals, on: loop)
        loop.spawnLocal {
            while let signal = await signals.next() {
                if signal == SIGHUP {
                    watch.hurry()
                    do {
                        try plan.tls.reload()
                        log.info("certificate reloaded")
                    } catch {
                        log.error("certificate not reloaded", .text("error", "\(error)"))
                    }
                    do {
                        let newest = try await plan.masterKeys.reread().current.id
                        log.info("master keys reloaded", .text("newest", "\(newest)"))
                    } catch {
                        log.error("master keys not reloaded", .text("error", "\(error)"))
                    }
                } else {
                    gate.open()
                }
            }
        }
        loop.spawnLocal { await watch.run() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<configuration.loops {
                let own = try EventLoop.start(name: "api-\(index)")
                group.addTask {
                    try await own.run {
                        do {
                            try await ServeLoop(plan, on: own, tendsQueue: index == 0).run(until: gate) {
                                log.info("serving", .text("address", "\(plan.listen)"), .integer("loop", index))
                            }
                        } catch {
                            gate.open()
                            throw error
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        watch.stop()
        signals.close()
        log.close()
        return ExitCode.done
    }

    private func plan(
        _ configuration: Configuration,
        _ log: StructuredLog,
        on loop: EventLoop
    ) async throws -> (ServePlan, SigningKeyWatch) {
        guard let certificate = configuration.tlsCertificate, let key = configuration.tlsKey else {
            throw CommandFailure(
                "ERRAND_TLS_CERT and ERRAND_TLS_KEY are not set; `errand up` makes a certificate itself"
            )
        }
        guard let database = configuration.databaseURL else {
            throw CommandFailure("ERRAND_DATABASE_URL is not set: name PostgreSQL as the role errand_app")
        }
        guard let address = SocketAddress(host: configuration.listen.host, port: configuration.listen.port) else {
            throw CommandFailure("ERRAND_LISTEN must name a numeric address, such as 127.0.0.1:8443")
        }
        try refuseTaken(address, on: loop)
        let hosts = ModelHosts(configuration.modelHosts)
        let model = try model(configuration, hosts)
        let publicURL = configuration.publicURL ?? "https://\(configuration.listen)"
        let outbox = try OutboxPlan(configuration, hosts, publicURL: publicURL)
        // Nothing is written before all settings are known to be good.
        let keyFile = SigningKeyFile(configuration)
        let keys = try keyFile.loadOrMake()
        let makeKeys = { (set: SigningKeySet) in TokenKeys(set, publicURL: publicURL) }
        let feed = KeyRingFeed(makeKeys(keys.set))
        let watch = SigningKeyWatch(keyFile, text: keys.text, feed: feed, log: log, loop: loop, makeKeys: makeKeys)
        let masterKeys = MasterKeyFile(configuration)
        var limits = ServerLimits()
        limits.maximumConnections = configuration.maxConnections
        limits.perAddress = configuration.maxConnectionsPerAddress
        guard let proxies = TrustedProxies(configuration.trustedProxies.map(\.description)) else {
            throw CommandFailure("ERRAND_TRUSTED_PROXIES is not a list of networks")
        }
        let plan = ServePlan(
            listen: address,
            tls: try TLSServerContext(certificateChainFile: certificate, privateKeyFile: key),
            limits: limits,
            proxies: proxies,
            // Our own pages, also behind a proxy that renames the host.
            cors: CORSPolicy(origins: configuration.corsOrigins + [publicURL]),
            counter: ConnectionCounter(limits: limits),
            database: database.reveal(),
            redis: try redis(configuration),
            audit: try AuditSigning.load(configuration, host: ClientURL(publicURL)?.host ?? "localhost"),
            masterKeys: MasterKeyHolder(masterKeys, try await masterKeys.loadOrMake(on: loop)),
            modelHosts: hosts,
            modelTrust: try TLSClientContext(caFile: nil),
            outbox: outbox,
            keys: feed,
            breachedPasswords: try configuration.breachedPasswords.map { try BreachedPasswordFile($0) },
            places: try configuration.placeFile.map { try PlaceFile($0) },
            // Each hash takes 64 MiB: two at a time, and a queue that a person still waits for.
            passwords: PasswordPool(threads: 2, queueLimit: 32),
            links: LinkRegistry(),
            settings: ServiceSettings(
                publicURL: publicURL,
                openAPI: try Files.readAll(SharedFiles.openAPI, limit: 4 << 20),
                model: model,
                allowedOrigins: Set(configuration.corsOrigins),
                version: ErrandVersion.current,
                teamsPerPerson: configuration.teamsPerPerson,
                rates: RateSettings(
                    requestsPerSecond: configuration.requestsPerSecond,
                    anonymousRequestsPerSecond: configuration.anonymousRequestsPerSecond,
                    signInsPerMinute: configuration.signInsPerMinute
                ),
                channels: outbox.channels
            ),
            quotas: configuration.quotas,
            log: log,
            drainTime: configuration.shutdownGrace
        )
        return (plan, watch)
    }

    /// Loops share a port on purpose; two servers that share one would each get half of the clients.
    private func refuseTaken(_ address: SocketAddress, on loop: EventLoop) throws {
        do throws(PlatformError) {
            try ListeningSocket.bind(address, on: loop, reusePort: false, backlog: 1).close()
        } catch {
            guard error.errno == EADDRINUSE else { throw error }
            throw CommandFailure(
                "\(address) is taken by another program: choose another port with --listen or ERRAND_LISTEN"
            )
        }
    }

    private func redis(_ configuration: Configuration) throws -> QueueConfiguration {
        if let socket = configuration.redisSocket { return QueueConfiguration(socketPath: socket) }
        guard let url = configuration.redisURL else {
            throw CommandFailure("neither ERRAND_REDIS_SOCKET nor ERRAND_REDIS_URL is set")
        }
        guard let parsed = QueueConfiguration(url: url.reveal()) else {
            throw CommandFailure("ERRAND_REDIS_URL must look like redis://[USER:PASSWORD@]ADDRESS:PORT")
        }
        return parsed
    }

    /// The installation's key for the one team that it serves, else the stand-in for everybody, else nothing.
    private func model(_ configuration: Configuration, _ hosts: ModelHosts) throws -> ModelGrantSource? {
        if let key = configuration.modelKey {
            // A key without a team, or with a name that is no team's, must not become everybody's.
            guard let team = configuration.modelTeam.flatMap({ TeamID($0) }) else {
                throw CommandFailure(
                    "ANTHROPIC_API_KEY serves nobody yet: set ERRAND_MODEL_TEAM to the id of its one team (team_01j…)"
                )
            }
            return try source(configuration.modelURL, key, team: team, hosts)
        }
        guard let standin = configuration.standinListen, let key = configuration.standinKey else { return nil }
        return try source("http://\(standin)", key, team: nil, hosts)
    }

    private func source(
        _ url: String,
        _ key: Secret,
        team: TeamID?,
        _ hosts: ModelHosts
    ) throws -> ModelGrantSource {
        do throws(ModelEndpointError) {
            let endpoint = try hosts.installation(url)
            return ModelGrantSource(endpoint: endpoint, key: ClearSecret(key.reveal()), team: team)
        } catch {
            throw CommandFailure("the model URL \(url) \(error)")
        }
    }
}
