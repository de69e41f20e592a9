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
    private let settings: PartSettings
    private let listen: ListenAddress
    private let standin: ListenAddress?
    private let programs: StagedPrograms
    private let caFile: String
    private let store: Store
    private let client: HTTPClient
    private let loop: EventLoop

    private init(
        _ configuration: Configuration,
        data: DataDirectory,
        settings: PartSettings,
        listen: ListenAddress,
        publicURL: String,
        standin: ListenAddress?,
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
        let standin =
            configuration.modelKey == nil ? try FreePort.settle(ListenAddress(host: "127.0.0.1", port: 0)) : nil
        let programs = try await StagedPrograms.stage(in: data, configuration, on: loop)
        let standinKey = try await data.secret("standin-key")
        for secret in configuration.secrets + [standinKey] { log.conceal(secret) }
        var settings = PartSettings(configuration, data: data)
        settings.api.merge([
            "ERRAND_LISTEN": "\(listen)",
            "ERRAND_REDIS_SOCKET": redisSocket,
            "ERRAND_TLS_CERT": data.childPath(tls.certificateFile),
            "ERRAND_TLS_KEY": data.childPath(tls.keyFile),
            "ERRAND_PUBLIC_URL": publicURL,
            "ERRAND_SHARE": programs.share,
        ]) { $1 }
        try await settings.hand(
            databaseURL: databaseURL,
            enrolment: enrolment.map { Secret($0) },
            standin: standin.map { (address: $0, key: standinKey) },
            administratorsTeam: team
        )
        return InstallationParts(
            configuration,
            data: data,
            settings: settings,
            listen: listen,
            publicURL: publicURL,
            standin: standin,
            programs: programs,
            caFile: tls.caFile,
            store: store,
            client: HTTPClient(loop: loop, tls: try TLSClientContext(caFile: tls.caFile)),
            loop: loop
        )
    }

    /// Whether a key is there that serves nobody, because no team is named for it.
    var isKeyIdle: Bool { configuration.modelKey != nil && settings.api["ERRAND_MODEL_TEAM"] == nil }

    /// The services in the order in which they start.
    var services: [Service] {
        (standin.map { [standinService($0)] } ?? []) + [apiService, workerService]
    }

    private var apiService: Service {
        Service(
            name: "api",
            grace: configuration.shutdownGrace + Self.closingTime,
            makeSpec: { [self] in
                data.running(spec("serve", settings.api), as: data.accounts?.api, mayGainPrivileges: false)
            },
            isReady: { [self] in await status("https://\(InstallationParts.local(listen))/ready") == 200 }
        )
    }

    private func standinService(_ address: ListenAddress) -> Service {
        Service(
            name: "standin",
            makeSpec: { [self] in
                data.running(spec("standin", settings.standin), as: data.accounts?.worker, mayGainPrivileges: false)
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
                var own = settings.worker
                own["ERRAND_API_URL"] = "https://\(InstallationParts.local(listen))"
                own["ERRAND_API_CA"] = data.childPath(caFile)
                own["ERRAND_SANDBOX_PATH"] = programs.sandbox
                if let agent = programs.agent { own["ERRAND_AGENT_PATH"] = agent }
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
