package import Core
import Glibc
import Platform

/// Everything that Errand is told from outside, checked; `errand config` lists it.
package struct Configuration: Sendable {
    /// Directory of `errand up`.
    package var dataDirectory: String
    /// Where the API listens.
    package var listen: ListenAddress
    /// Event loops of the API.
    package var loops: Int
    /// PostgreSQL as errand_app.
    package var databaseURL: Secret?
    /// PostgreSQL as errand_owner.
    package var ownerDatabaseURL: Secret?
    /// Path of the Redis socket.
    package var redisSocket: String?
    /// Redis over a trusted network.
    package var redisURL: Secret?
    /// PEM file of the certificate.
    package var tlsCertificate: String?
    /// PEM file of its key.
    package var tlsKey: String?
    /// Where clients reach the API, when that differs from `listen`.
    package var publicURL: String?
    /// Blocks whose forwarding headers are believed.
    package var trustedProxies: [AddressRange]
    /// Origins of browser applications.
    package var corsOrigins: [String]
    /// Connections served at once.
    package var maxConnections: Int
    /// Connections that one address may hold.
    package var maxConnectionsPerAddress: Int
    /// Requests that one person may send per second.
    package var requestsPerSecond: Int
    /// Requests without a sign-in that one address may send per second.
    package var anonymousRequestsPerSecond: Int
    /// Passwords and codes that one address may try per minute.
    package var signInsPerMinute: Int
    /// Teams that a person may own and still found another.
    package var teamsPerPerson: Int
    /// What a team may have unless it is given something else; what is not named has no limit.
    package var quotas: [QuotaName: Int64]
    /// The model key, nil for the stand-in.
    package var modelKey: Secret?
    /// Where the model is reached.
    package var modelURL: String
    /// The one team that the model key serves.
    package var modelTeam: String?
    /// Hosts that people's model URLs may name over http or on private addresses.
    package var modelHosts: [String]
    /// The file of the keys under which secrets are stored.
    package var masterKeys: String?
    /// The file of the keys that sign access tokens.
    package var signingKeys: String?
    /// The file of the key that signs the audit log.
    package var auditKey: String?
    /// The file that signed checkpoints of the audit log are appended to.
    package var auditCheckpoints: String?
    /// New entries of a chain after which it is signed.
    package var auditEntries: Int
    /// Time after which a chain with a new entry is signed.
    package var auditInterval: Duration
    /// Days that the audit log is kept at least; 0 keeps it for ever.
    package var auditKeepDays: Int
    /// The file of leaked passwords.
    package var breachedPasswords: String?
    /// The file that says where networks are.
    package var placeFile: String?
    /// The mail server, with the sign-in.
    package var smtpURL: Secret?
    /// PEM file of the authority behind the mail server's certificate.
    package var smtpCA: String?
    /// Whom mails are from.
    package var mailFrom: String?
    /// Where webhooks are posted.
    package var webhookURL: Secret?
    /// The key of their signatures.
    package var webhookSecret: Secret?
    /// Where the stand-in listens.
    package var standinListen: ListenAddress?
    /// The key that clients of the stand-in must show.
    package var standinKey: Secret?
    /// The account that a worker started by root changes to.
    package var workerUser: String?
    /// Output that one attempt of a job may write.
    package var jobOutputBytes: Int
    /// Jobs that the worker runs at once.
    package var workerSlots: Int
    /// The enrolment token.
    package var workerToken: Secret?
    /// Where workers and clients reach the API.
    package var apiURL: String?
    /// PEM file of the authority behind the API's certificate.
    package var apiCA: String?
    /// The Claude Code program.
    package var agentPath: String?
    /// The sandbox launcher.
    package var sandboxPath: String?
    /// Least level that is logged.
    package var logLevel: LogLevel
    /// Time that open work gets at shutdown.
    package var shutdownGrace: Duration
    /// Every setting with its effective value as far as it may be shown.
    package let listing: [ListedSetting]
    /// Variables that begin with `ERRAND_` but are no setting.
    package let unknownNames: [String]
    /// All secrets among the settings, for whatever must keep them out of sight.
    package let secrets: [Secret]
    /// Where systemd puts the credentials of this unit.
    package let credentialsDirectory: String?

    /// Reads the environment and the file that it names, blocking for it; throws every problem at once.
    package static func load(
        environment: [String: String] = ProcessEnvironment.variables()
    ) throws(ConfigurationError) -> Configuration {
        let path = environment["ERRAND_CONFIG_FILE"] ?? ""
        let file = path.isEmpty ? [:] : try ConfigurationFile.read(path)
        var reader = SettingReader(environment: environment, file: file)
        let configuration = Configuration(reading: &reader, environment: environment)
        guard reader.problems.isEmpty else { throw ConfigurationError(problems: reader.problems) }
        return configuration
    }

    /// The same for a process that stays: secrets then stand no longer in its environment, which /proc shows.
    package static func takeOver() throws(ConfigurationError) -> Configuration {
        let configuration = try load()
        ProcessEnvironment.blank(Set(configuration.listing.filter { $0.disclosure != .plain }.map(\.name)))
        return configuration
    }

    private init(reading reader: inout SettingReader, environment: [String: String]) {
        let cores = ProcessEnvironment.processorCount
        dataDirectory = reader.read(Settings.data) ?? Self.standardData(environment)
        listen = reader.read(Settings.listen, orElse: ListenAddress(host: "127.0.0.1", port: 8443))
        loops = reader.read(Settings.loops) ?? cores
        databaseURL = reader.read(Settings.database)
        ownerDatabaseURL = reader.read(Settings.ownerDatabase)
        redisSocket = reader.read(Settings.redisSocket)
        redisURL = reader.read(Settings.redisURL)
        tlsCertificate = reader.read(Settings.tlsCertificate)
        tlsKey = reader.read(Settings.tlsKey)
        publicURL = reader.read(Settings.publicURL)
        trustedProxies = reader.read(Settings.trustedProxies) ?? []
        corsOrigins = reader.read(Settings.corsOrigins) ?? []
        maxConnections = reader.read(Settings.maxConnections, orElse: 1)
        maxConnectionsPerAddress = reader.read(Settings.maxConnectionsPerAddress, orElse: 1)
        requestsPerSecond = reader.read(Settings.requestsPerSecond, orElse: 1)
        anonymousRequestsPerSecond = reader.read(Settings.anonymousRequestsPerSecond, orElse: 1)
        signInsPerMinute = reader.read(Settings.signInsPerMinute, orElse: 1)
        teamsPerPerson = reader.read(Settings.teamsPerPerson, orElse: 1)
        quotas = [:]
        for (name, setting) in Settings.quotas {
            if case .limit(let limit)? = reader.read(setting) { quotas[name] = limit }
        }
        modelKey = reader.read(Settings.modelKey)
        modelURL = reader.read(Settings.modelURL, orElse: "")
        modelTeam = reader.read(Settings.modelTeam)
        modelHosts = reader.read(Settings.modelHosts) ?? []
        masterKeys = reader.read(Settings.masterKeys)
        signingKeys = reader.read(Settings.signingKeys)
        auditKey = reader.read(Settings.auditKey)
        auditCheckpoints = reader.read(Settings.auditCheckpoints)
        auditEntries = reader.read(Settings.auditEntries, orElse: 1)
        auditInterval = .seconds(reader.read(Settings.auditSeconds, orElse: 1))
        auditKeepDays = reader.read(Settings.auditKeepDays, orElse: 0)
        breachedPasswords = reader.read(Settings.breachedPasswords)
        placeFile = reader.read(Settings.placeFile)
        smtpURL = reader.read(Settings.smtpURL)
        smtpCA = reader.read(Settings.smtpCA)
        mailFrom = reader.read(Settings.mailFrom)
        webhookURL = reader.read(Settings.webhookURL)
        webhookSecret = reader.read(Settings.webhookSecret)
        standinListen = reader.read(Settings.standinListen)
        standinKey = reader.read(Settings.standinKey)
        workerUser = reader.read(Settings.workerUser)
        jobOutputBytes = reader.read(Settings.jobOutputBytes) ?? 4 << 30
        workerSlots = reader.read(Settings.workerSlots) ?? 2 * cores
        workerToken = reader.read(Settings.workerToken)
        apiURL = reader.read(Settings.apiURL)
        apiCA = reader.read(Settings.apiCA)
        agentPath = reader.read(Settings.agentPath)
        sandboxPath = reader.read(Settings.sandboxPath)
        logLevel = reader.read(Settings.logLevel, orElse: .info)
        shutdownGrace = .seconds(reader.read(Settings.shutdownSeconds, orElse: 0))
        listing = reader.listed
        unknownNames = reader.unknownNames()
        secrets = reader.secrets
        credentialsDirectory = environment["CREDENTIALS_DIRECTORY"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        checkPairs(&reader)
    }

    private func checkPairs(_ reader: inout SettingReader) {
        if (tlsCertificate == nil) != (tlsKey == nil) {
            reader.note(
                SettingProblem(
                    name: tlsKey == nil ? "ERRAND_TLS_KEY" : "ERRAND_TLS_CERT",
                    problem: "one of the two TLS files is missing",
                    fix: "set both ERRAND_TLS_CERT and ERRAND_TLS_KEY, or neither"
                )
            )
        }
        if redisSocket != nil, redisURL != nil {
            reader.note(
                SettingProblem(
                    name: "ERRAND_REDIS_URL",
                    problem: "ERRAND_REDIS_SOCKET is set as well",
                    fix: "keep one of the two"
                )
            )
        }
        if smtpURL != nil, mailFrom == nil {
            reader.note(
                SettingProblem(
                    name: "ERRAND_MAIL_FROM",
                    problem: "ERRAND_SMTP_URL is set and nobody is named whom mails are from",
                    fix: "write an address that the mail server lets you send as"
                )
            )
        }
        if (webhookURL == nil) != (webhookSecret == nil) {
            reader.note(
                SettingProblem(
                    name: webhookURL == nil ? "ERRAND_WEBHOOK_URL" : "ERRAND_WEBHOOK_SECRET",
                    problem: "one of URL and key of the webhooks is missing",
                    fix: "set both ERRAND_WEBHOOK_URL and ERRAND_WEBHOOK_SECRET, or neither"
                )
            )
        }
        if maxConnectionsPerAddress > maxConnections {
            reader.note(
                SettingProblem(
                    name: "ERRAND_MAX_CONNECTIONS_PER_ADDRESS",
                    problem: "it is more than ERRAND_MAX_CONNECTIONS",
                    fix: "write at most \(maxConnections)"
                )
            )
        }
    }

    private static func standardData(_ environment: [String: String]) -> String {
        if geteuid() == 0 { return "/var/lib/errand" }
        if let base = environment["XDG_DATA_HOME"], base.hasPrefix("/") { return "\(base)/errand" }
        if let home = environment["HOME"], home.hasPrefix("/") { return "\(home)/.local/share/errand" }
        return "/tmp/errand-\(geteuid())"
    }
}

extension Configuration {
    /// The text of `errand config`: one setting a line with its origin, secrets masked.
    package func render() -> String {
        let width = listing.map(\.name.count).max() ?? 0
        var lines = listing.map { setting in
            let name = setting.name + String(repeating: " ", count: width - setting.name.count)
            return "\(name)  \(setting.shown ?? "-")  # \(setting.origin.rawValue): \(setting.summary)"
        }
        lines += unknownNames.map { "# \($0) is not a setting" }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Configuration {
    /// How long the audit log may be kept: less than a month would drop what nobody had time to look at.
    package static let auditKeepDays = 31...36_500
}
