import Core
import Glibc
import HTTP
import Operations
import Platform
import Store
import Transport

/// The services of Errand's own that `errand up` runs on top of the databases.
final class InstallationParts {
    /// What a service needs beside the time that it gives its work to end.
    private static let closingTime = Duration.seconds(10)

    let publicURL: String
    let usesStandin: Bool
    private let configuration: Configuration
    private let data: DataDirectory
    private let settings: [String: String]
    private let listen: ListenAddress
    private let standin: ListenAddress?
    private let standinKey: Secret
    private let enrolment: String?
    private let programs: StagedPrograms
    private let caFile: String
    private let store: Store
    private let client: HTTPClient
    private let loop: EventLoop

    private init(
        _ configuration: Configuration,
        data: DataDirectory,
        settings: [String: String],
        listen: ListenAddress,
        publicURL: String,
        standin: ListenAddress?,
        standinKey: Secret,
        enrolment: String?,
        programs: StagedPrograms,
        caFile: String,
        store: Store,
        client: HTTPClient,
        loop: EventLoop
    ) {
        self.configuration = configuration
        self.data = data
        self.settings = settings
        self.listen = listen
        self.publicURL = publicURL
        self.standin = standin
        self.standinKey = standinKey
        self.enrolment = enrolment
        self.programs = programs
        self.caFile = caFile
        self.store = store
        self.client = client
        self.loop = loop
        usesStandin = standin != nil
    }

    /// Creates what the first start needs: the administrator, the worker's enrolment, addresses, keys.
    static func prepare(
        _ configuration: Configuration,
        data: DataDirectory,
        databaseURL: Secret,
        redisSocket: String,
        tls: TLSFiles,
        log: StructuredLog,
        loop: EventLoop
    ) async throws -> InstallationParts {
        let store = try Store(
            configuration: StoreConfiguration(url: databaseURL.reveal(), connections: 1),
            loop: loop
        )
        try await store.start()
        let team = try await FirstStart.administrator(in: store, data)
        let enrolment = try await FirstStart.enrolment(in: store, data)
        let listen = try FreePort.settle(configuration.listen)
        let publicURL = configuration.publicURL ?? "https://\(reachable(listen))"
        let standinKey = try await data.secret("standin-key")
        log.conceal(standinKey)
        let standin =
            configuration.modelKey == nil ? try FreePort.settle(ListenAddress(host: "127.0.0.1", port: 0)) : nil
        let programs = try await StagedPrograms.stage(in: data, configuration, on: loop)
        var settings = [
            "ERRAND_DATA": data.childPath(data.api),
            "ERRAND_LISTEN": "\(listen)",
            "ERRAND_LOOPS": "\(configuration.loops)",
            "ERRAND_DATABASE_URL": databaseURL.reveal(),
            "ERRAND_REDIS_SOCKET": redisSocket,
            "ERRAND_TLS_CERT": data.childPath(tls.certificateFile),
            "ERRAND_TLS_KEY": data.childPath(tls.keyFile),
            "ERRAND_PUBLIC_URL": publicURL,
            "ERRAND_SIGNING_KEYS": data.childPath(data.api) + "/signing-keys.json",
            "ERRAND_SHARE": programs.share,
            "ERRAND_TRUSTED_PROXIES": configuration.trustedProxies.map(\.description).joined(separator: ","),
            "ERRAND_CORS_ORIGINS": configuration.corsOrigins.joined(separator: ","),
            "ERRAND_MAX_CONNECTIONS": "\(configuration.maxConnections)",
            "ERRAND_MAX_CONNECTIONS_PER_ADDRESS": "\(configuration.maxConnectionsPerAddress)",
            "ERRAND_REQUESTS_PER_SECOND": "\(configuration.requestsPerSecond)",
            "ERRAND_SHUTDOWN_SECONDS": shutdownSeconds(configuration),
            "ERRAND_LOG_LEVEL": configuration.logLevel.rawValue,
        ]
        if let key = configuration.modelKey {
            // Without the one team that it serves the key stays here: unnamed, it would serve every team.
            if let team {
                settings["ANTHROPIC_API_KEY"] = key.reveal()
                settings["ERRAND_MODEL_URL"] = configuration.modelURL
                settings["ERRAND_MODEL_TEAM"] = team.description
            }
        } else if let standin {
            settings["ANTHROPIC_API_KEY"] = standinKey.reveal()
            settings["ERRAND_MODEL_URL"] = "http://\(standin)"
        }
        return InstallationParts(
            configuration,
            data: data,
            settings: settings,
            listen: listen,
            publicURL: publicURL,
            standin: standin,
            standinKey: standinKey,
            enrolment: enrolment,
            programs: programs,
            caFile: tls.caFile,
            store: store,
            client: HTTPClient(loop: loop, tls: try TLSClientContext(caFile: tls.caFile)),
            loop: loop
        )
    }

    /// The services in the order in which they start.
    var services: [Service] {
        (standin.map { [standinService($0)] } ?? []) + [apiService, workerService]
    }

    private var apiService: Service {
        Service(
            name: "api",
            grace: configuration.shutdownGrace + Self.closingTime,
            makeSpec: { [self] in
                data.running(spec("serve", settings), as: data.accounts?.api, mayGainPrivileges: false)
            },
            isReady: { [self] in await status("https://\(InstallationParts.local(listen))/ready") == 200 }
        )
    }

    private func standinService(_ address: ListenAddress) -> Service {
        Service(
            name: "standin",
            makeSpec: { [self] in
                let own = ["ERRAND_STANDIN_LISTEN": "\(address)", "ERRAND_STANDIN_KEY": standinKey.reveal()]
                return data.running(spec("standin", own), as: data.accounts?.worker, mayGainPrivileges: false)
            },
            isReady: { [self] in await status("http://\(address)/") != nil }
        )
    }

    private var workerService: Service {
        Service(
            name: "worker",
            // Jobs that have not ended by then are interrupted, killed and reported.
            grace: configuration.shutdownGrace + Self.closingTime * 3,
            makeSpec: { [self] in
                var own = [
                    "ERRAND_DATA": data.childPath(data.worker),
                    "ERRAND_API_URL": "https://\(InstallationParts.local(listen))",
                    "ERRAND_API_CA": data.childPath(caFile),
                    "ERRAND_WORKER_SLOTS": "\(configuration.workerSlots)",
                    "ERRAND_SANDBOX_PATH": programs.sandbox,
                    "ERRAND_SHUTDOWN_SECONDS": Self.shutdownSeconds(configuration),
                    "ERRAND_LOG_LEVEL": configuration.logLevel.rawValue,
                ]
                if let enrolment { own["ERRAND_WORKER_TOKEN"] = enrolment }
                if let agent = programs.agent { own["ERRAND_AGENT_PATH"] = agent }
                if let account = data.accounts?.worker { own["ERRAND_WORKER_USER"] = account.name }
                // Root until its fork server runs; the worker then changes to its own account by itself.
                let root = SystemUser(name: "root", userID: 0, groupID: 0)
                var work = spec("work", own)
                // Without its API it can tell nobody how its jobs end: the next worker says that they were lost.
                (work.dieWithParent, work.parentDeathSignal) = (true, SIGKILL)
                return data.running(work, as: SystemUser.isRoot ? root : nil, deathSignal: "KILL")
            },
            isReady: { [self] in
                let now = WallClock.now()
                let workers = (try? await store.workers.workers()) ?? []
                return workers.contains { ($0.leaseUntil ?? now) > now }
            }
        )
    }

    private func spec(_ verb: String, _ environment: [String: String]) -> ProcessSpec {
        var environment = environment.filter { !$0.value.isEmpty }
        environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environment["LANG"] = "C.UTF-8"
        var spec = ProcessSpec(path: programs.errand, arguments: ["errand", verb], environment: environment)
        (spec.standardOutput, spec.standardError) = (.pipe, .pipe)
        spec.workingDirectory = "/"
        return spec
    }

    private func status(_ url: String) async -> Int? {
        guard let url = ClientURL(url) else { return nil }
        return try? await client.send(method: .get, url: url).status
    }

    private static func shutdownSeconds(_ configuration: Configuration) -> String {
        "\(configuration.shutdownGrace.components.seconds)"
    }

    /// The address under which people reach a server that listens everywhere.
    private static func reachable(_ listen: ListenAddress) -> ListenAddress {
        guard listen.host == "0.0.0.0" || listen.host == "::" else { return listen }
        return ListenAddress(host: (try? Files.hostName()) ?? "localhost", port: listen.port)
    }

    /// The address under which this machine reaches its own server.
    private static func local(_ listen: ListenAddress) -> ListenAddress {
        guard listen.host == "0.0.0.0" || listen.host == "::" else { return listen }
        return ListenAddress(host: "localhost", port: listen.port)
    }
}
