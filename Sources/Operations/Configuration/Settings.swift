import Core

/// Every setting that Errand reads, in the order of `errand config`.
enum Settings {
    static let data = Setting(
        name: "ERRAND_DATA",
        summary: "directory of `errand up`: databases, keys, workspaces",
        parse: SettingForms.path
    )
    static let listen = Setting(
        name: "ERRAND_LISTEN",
        standard: "127.0.0.1:8443",
        summary: "host:port of the API",
        parse: SettingForms.listen
    )
    static let loops = Setting(
        name: "ERRAND_LOOPS",
        summary: "event loops of the API, by default one per core",
        parse: SettingForms.integer(1...256)
    )
    static let database = Setting(
        name: "ERRAND_DATABASE_URL",
        summary: "PostgreSQL as the role errand_app, used by the servers",
        disclosure: .url,
        parse: SettingForms.url(["postgresql", "postgres"])
    )
    static let ownerDatabase = Setting(
        name: "ERRAND_OWNER_DATABASE_URL",
        summary: "PostgreSQL as the role errand_owner, used by migrations and administration only",
        disclosure: .url,
        parse: SettingForms.url(["postgresql", "postgres"])
    )
    static let redisSocket = Setting(
        name: "ERRAND_REDIS_SOCKET",
        summary: "path of the Redis Unix socket",
        parse: SettingForms.path
    )
    static let redisURL = Setting(
        name: "ERRAND_REDIS_URL",
        summary: "Redis over a trusted network, redis://[:PASSWORD@]HOST:PORT",
        disclosure: .url,
        parse: SettingForms.url(["redis"])
    )
    static let tlsCertificate = Setting(
        name: "ERRAND_TLS_CERT",
        summary: "PEM file with the certificate and its chain",
        parse: SettingForms.path
    )
    static let tlsKey = Setting(
        name: "ERRAND_TLS_KEY",
        summary: "PEM file with the certificate's private key",
        parse: SettingForms.path
    )
    static let publicURL = Setting(
        name: "ERRAND_PUBLIC_URL",
        summary: "where clients reach the API, when that is not the listen address",
        parse: SettingForms.origin(["https", "http"])
    )
    static let trustedProxies = Setting(
        name: "ERRAND_TRUSTED_PROXIES",
        summary: "address blocks whose forwarding headers are believed",
        parse: SettingForms.list("write blocks like 10.0.0.0/8,fd00::/8 with zero bits behind the length") {
            AddressRange($0)
        }
    )
    static let corsOrigins = Setting(
        name: "ERRAND_CORS_ORIGINS",
        summary: "origins of browser applications that may call the API",
        parse: SettingForms.list("write origins like https://app.example.com, without a path") {
            try? SettingForms.origin(["https", "http"])($0)
        }
    )
    static let maxConnections = Setting(
        name: "ERRAND_MAX_CONNECTIONS",
        standard: "20000",
        summary: "connections that the API serves at once",
        parse: SettingForms.integer(1...10_000_000)
    )
    static let maxConnectionsPerAddress = Setting(
        name: "ERRAND_MAX_CONNECTIONS_PER_ADDRESS",
        standard: "2000",
        summary: "connections that one client address may hold",
        parse: SettingForms.integer(1...10_000_000)
    )
    static let requestsPerSecond = Setting(
        name: "ERRAND_REQUESTS_PER_SECOND",
        standard: "50",
        summary: "requests that one person may send per second; eight seconds' worth may come at once",
        parse: SettingForms.integer(1...1_000_000)
    )
    static let anonymousRequestsPerSecond = Setting(
        name: "ERRAND_ANONYMOUS_REQUESTS_PER_SECOND",
        standard: "20",
        summary:
            "requests without a sign-in that one address may send per second; five seconds' worth may come at once",
        parse: SettingForms.integer(1...1_000_000)
    )
    static let signInsPerMinute = Setting(
        name: "ERRAND_SIGN_INS_PER_MINUTE",
        standard: "10",
        summary: "passwords and codes that one address may try per minute; what succeeds is not counted",
        parse: SettingForms.integer(1...1_000_000)
    )
    static let quotaQueuedJobs = Setting(
        name: "ERRAND_QUOTA_QUEUED_JOBS",
        standard: "10000",
        summary: "jobs of a team that may wait at once, or none for no limit",
        parse: SettingForms.quota
    )
    static let quotaRunningJobs = Setting(
        name: "ERRAND_QUOTA_RUNNING_JOBS",
        standard: "1000",
        summary: "jobs of a team that may run at once, or none; more of them wait",
        parse: SettingForms.quota
    )
    static let quotaStoredBytes = Setting(
        name: "ERRAND_QUOTA_STORED_BYTES",
        standard: "107374182400",
        summary: "bytes of logs and workspaces that a team may keep, or none",
        parse: SettingForms.quota
    )
    static let quotaProjects = Setting(
        name: "ERRAND_QUOTA_PROJECTS",
        standard: "1000",
        summary: "projects of a team, or none",
        parse: SettingForms.quota
    )
    static let quotaMembers = Setting(
        name: "ERRAND_QUOTA_MEMBERS",
        standard: "10000",
        summary: "members of a team, or none",
        parse: SettingForms.quota
    )
    static let quotaSpendPerDay = Setting(
        name: "ERRAND_QUOTA_SPEND_PER_DAY",
        standard: "none",
        summary: "micro-USD that a team's agents may cost per day (UTC), or none",
        parse: SettingForms.quota
    )
    static let teamsPerPerson = Setting(
        name: "ERRAND_TEAMS_PER_PERSON",
        standard: "20",
        summary: "teams that a person may own and still found another; what a team may have is no limit without it",
        parse: SettingForms.integer(1...1_000_000)
    )
    /// By the quota that each one sets.
    static let quotas: [(name: QuotaName, setting: Setting<QuotaSetting>)] = [
        (.queuedJobs, quotaQueuedJobs), (.runningJobs, quotaRunningJobs), (.storedBytes, quotaStoredBytes),
        (.projects, quotaProjects), (.members, quotaMembers), (.spendPerDay, quotaSpendPerDay),
    ]
    static let modelKey = Setting(
        name: "ANTHROPIC_API_KEY",
        summary: "model key for the agents of the team in ERRAND_MODEL_TEAM; errand up without it runs a stand-in",
        disclosure: .secret,
        parse: SettingForms.secret
    )
    static let modelURL = Setting(
        name: "ERRAND_MODEL_URL",
        standard: "https://api.anthropic.com",
        summary: "where the model is reached",
        parse: SettingForms.origin(["https", "http"])
    )
    static let modelTeam = Setting(
        name: "ERRAND_MODEL_TEAM",
        summary: "id of the one team that the model key serves; errand up takes the administrator's by default",
        parse: SettingForms.plainName
    )
    static let modelHosts = Setting(
        name: "ERRAND_MODEL_HOSTS",
        summary: "hosts that people's model URLs may name over http or on private addresses: host or host:port",
        parse: SettingForms.list("write hosts like gateway.lan,10.1.2.3:8080,[fd00::1]:8080") {
            SettingForms.hostAndPort($0)
        }
    )
    static let masterKeys = Setting(
        name: "ERRAND_MASTER_KEYS",
        summary: "file of the master keys of stored secrets, by default secrets/master-keys.json below ERRAND_DATA",
        parse: SettingForms.path
    )
    static let auditKey = Setting(
        name: "ERRAND_AUDIT_KEY",
        summary: "file of the key that signs the audit log; made when missing; the same on every replica",
        parse: SettingForms.path
    )
    static let auditCheckpoints = Setting(
        name: "ERRAND_AUDIT_CHECKPOINTS",
        summary: "file that signed checkpoints of the audit log are appended to",
        parse: SettingForms.path
    )
    static let auditEntries = Setting(
        name: "ERRAND_AUDIT_CHECKPOINT_ENTRIES",
        standard: "1000",
        summary: "new entries of a chain after which it is signed",
        parse: SettingForms.integer(1...1_000_000)
    )
    static let auditSeconds = Setting(
        name: "ERRAND_AUDIT_CHECKPOINT_SECONDS",
        standard: "300",
        summary: "time after which a chain with a new entry is signed",
        parse: SettingForms.integer(1...86_400)
    )
    static let auditKeepDays = Setting(
        name: "ERRAND_AUDIT_KEEP_DAYS",
        standard: "0",
        summary: "days after which `errand up` drops a whole month of the audit log; 0 keeps all of it",
        parse: { text throws(SettingFix) in
            guard let days = Int(text), days == 0 || Configuration.auditKeepDays.contains(days) else {
                let range = Configuration.auditKeepDays
                throw SettingFix(text: "write 0, or a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return days
        }
    )
    static let signingKeys = Setting(
        name: "ERRAND_SIGNING_KEYS",
        summary: "file of the keys that sign access tokens, by default secrets/signing-keys.json below ERRAND_DATA",
        parse: SettingForms.path
    )
    static let breachedPasswords = Setting(
        name: "ERRAND_BREACHED_PASSWORDS",
        summary: "sorted file of leaked passwords, lines of SHA-1:COUNT, that no new password may be in",
        parse: SettingForms.path
    )
    static let placeFile = Setting(
        name: "ERRAND_PLACES",
        summary: "file of countries or cities of networks (MMDB), by which sign-ins from far away are noticed",
        parse: SettingForms.path
    )
    static let smtpURL = Setting(
        name: "ERRAND_SMTP_URL",
        summary: "mail server, smtp://[USER:PASSWORD@]HOST[:PORT] with STARTTLS, or smtps://",
        disclosure: .secret,
        parse: SettingForms.url(["smtp", "smtps"])
    )
    static let smtpCA = Setting(
        name: "ERRAND_SMTP_CA",
        summary: "PEM file with the authority that signed the mail server's certificate, unless the system trusts it",
        parse: SettingForms.path
    )
    static let mailFrom = Setting(
        name: "ERRAND_MAIL_FROM",
        summary: "whom mails are from: ADDRESS, or NAME <ADDRESS>",
        parse: SettingForms.line
    )
    static let webhookURL = Setting(
        name: "ERRAND_WEBHOOK_URL",
        summary: "where letters are posted as signed webhooks (Standard Webhooks): https, or http on this machine",
        disclosure: .secret,
        parse: SettingForms.url(["https", "http"])
    )
    static let webhookSecret = Setting(
        name: "ERRAND_WEBHOOK_SECRET",
        summary: "key of the webhooks' signatures, whsec_ and Base64",
        disclosure: .secret,
        parse: SettingForms.secret
    )
    static let standinListen = Setting(
        name: "ERRAND_STANDIN_LISTEN",
        summary: "where errand standin listens",
        parse: SettingForms.listen
    )
    static let standinKey = Setting(
        name: "ERRAND_STANDIN_KEY",
        summary: "key that clients of errand standin must show",
        disclosure: .secret,
        parse: SettingForms.secret
    )
    static let workerUser = Setting(
        name: "ERRAND_WORKER_USER",
        summary: "account that a worker started by root changes to",
        parse: SettingForms.plainName
    )
    static let jobOutputBytes = Setting(
        name: "ERRAND_JOB_OUTPUT_BYTES",
        summary: "bytes of output after which an attempt of a job is ended, by default 4 GiB",
        parse: SettingForms.integer(4_096...(1 << 40))
    )
    static let workerSlots = Setting(
        name: "ERRAND_WORKER_SLOTS",
        summary: "jobs that the worker runs at once, by default two per core",
        // As many as a worker may name when it links.
        parse: SettingForms.integer(1...1024)
    )
    static let workerToken = Setting(
        name: "ERRAND_WORKER_TOKEN",
        summary: "one-time token by which a worker enrols",
        disclosure: .secret,
        parse: SettingForms.secret
    )
    static let apiURL = Setting(
        name: "ERRAND_API_URL",
        summary: "where workers and clients reach the API",
        parse: SettingForms.origin(["https", "http"])
    )
    static let apiCA = Setting(
        name: "ERRAND_API_CA",
        summary: "PEM file with the authority that signed the API's certificate",
        parse: SettingForms.path
    )
    static let agentPath = Setting(
        name: "ERRAND_AGENT_PATH",
        summary: "the Claude Code program, by default looked up on PATH",
        parse: SettingForms.path
    )
    static let sandboxPath = Setting(
        name: "ERRAND_SANDBOX_PATH",
        summary: "the sandbox launcher, by default beside this program",
        parse: SettingForms.path
    )
    static let logLevel = Setting(
        name: "ERRAND_LOG_LEVEL",
        standard: "info",
        summary: "least level that is logged",
        parse: SettingForms.level
    )
    static let shutdownSeconds = Setting(
        name: "ERRAND_SHUTDOWN_SECONDS",
        standard: "25",
        summary: "time that open requests and jobs get to end",
        parse: SettingForms.integer(0...3600)
    )
}
