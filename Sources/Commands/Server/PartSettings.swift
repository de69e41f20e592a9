import Core
import Operations
import Platform

/// The settings with which `errand up` starts its parts; what is secret among them lies in files.
struct PartSettings {
    var api: [String: String]
    var worker: [String: String]
    var standin: [String: String] = [:]
    private let configuration: Configuration
    private let data: DataDirectory

    /// What follows from the configuration alone.
    init(_ configuration: Configuration, data: DataDirectory) {
        self.configuration = configuration
        self.data = data
        let both = [
            "ERRAND_SHUTDOWN_SECONDS": "\(configuration.shutdownGrace.components.seconds)",
            "ERRAND_LOG_LEVEL": configuration.logLevel.rawValue,
        ]
        let keys = data.childPath(data.api)
        let quota = { (name: QuotaName) in configuration.quotas[name].map { "\($0)" } ?? "none" }
        api = both.merging([
            "ERRAND_DATA": keys,
            "ERRAND_LOOPS": "\(configuration.loops)",
            "ERRAND_SIGNING_KEYS": keys + "/signing-keys.json",
            "ERRAND_AUDIT_KEY": keys + "/audit-key.json",
            "ERRAND_AUDIT_CHECKPOINTS": keys + "/audit-checkpoints.txt",
            "ERRAND_AUDIT_CHECKPOINT_ENTRIES": "\(configuration.auditEntries)",
            "ERRAND_AUDIT_CHECKPOINT_SECONDS": "\(configuration.auditInterval.components.seconds)",
            "ERRAND_MASTER_KEYS": configuration.masterKeys ?? keys + "/master-keys.json",
            "ERRAND_MODEL_HOSTS": configuration.modelHosts.joined(separator: ","),
            "ERRAND_TRUSTED_PROXIES": configuration.trustedProxies.map(\.description).joined(separator: ","),
            "ERRAND_CORS_ORIGINS": configuration.corsOrigins.joined(separator: ","),
            "ERRAND_MAX_CONNECTIONS": "\(configuration.maxConnections)",
            "ERRAND_MAX_CONNECTIONS_PER_ADDRESS": "\(configuration.maxConnectionsPerAddress)",
            "ERRAND_REQUESTS_PER_SECOND": "\(configuration.requestsPerSecond)",
            "ERRAND_ANONYMOUS_REQUESTS_PER_SECOND": "\(configuration.anonymousRequestsPerSecond)",
            "ERRAND_SIGN_INS_PER_MINUTE": "\(configuration.signInsPerMinute)",
            "ERRAND_TEAMS_PER_PERSON": "\(configuration.teamsPerPerson)",
            "ERRAND_QUOTA_QUEUED_JOBS": quota(.queuedJobs),
            "ERRAND_QUOTA_RUNNING_JOBS": quota(.runningJobs),
            "ERRAND_QUOTA_STORED_BYTES": quota(.storedBytes),
            "ERRAND_QUOTA_PROJECTS": quota(.projects),
            "ERRAND_QUOTA_MEMBERS": quota(.members),
            "ERRAND_QUOTA_SPEND_PER_DAY": quota(.spendPerDay),
        ]) { $1 }
        if let file = configuration.placeFile { api["ERRAND_PLACES"] = file }
        if let file = configuration.smtpCA { api["ERRAND_SMTP_CA"] = file }
        if let sender = configuration.mailFrom { api["ERRAND_MAIL_FROM"] = sender }
        if let file = configuration.breachedPasswords { api["ERRAND_BREACHED_PASSWORDS"] = file }
        worker = both.merging([
            "ERRAND_DATA": data.childPath(data.worker),
            "ERRAND_WORKER_SLOTS": "\(configuration.workerSlots)",
            "ERRAND_JOB_OUTPUT_BYTES": "\(configuration.jobOutputBytes)",
        ]) { $1 }
        if let account = data.accounts?.worker { worker["ERRAND_WORKER_USER"] = account.name }
    }

    /// Hands every part its secrets, and the API the model that it may grant.
    mutating func hand(
        databaseURL: Secret,
        enrolment: Secret?,
        standin address: (address: ListenAddress, key: Secret)?,
        administratorsTeam: TeamID?
    ) async throws {
        var secrets = ["ERRAND_DATABASE_URL": databaseURL]
        secrets["ERRAND_SMTP_URL"] = configuration.smtpURL
        secrets["ERRAND_WEBHOOK_URL"] = configuration.webhookURL
        secrets["ERRAND_WEBHOOK_SECRET"] = configuration.webhookSecret
        if let key = configuration.modelKey {
            // Without the one team that it serves the key stays here: unnamed, it would serve nobody or everybody.
            if let team = try namedTeam() ?? administratorsTeam {
                secrets["ANTHROPIC_API_KEY"] = key
                api["ERRAND_MODEL_URL"] = configuration.modelURL
                api["ERRAND_MODEL_TEAM"] = team.description
            }
        } else if let address {
            secrets["ERRAND_STANDIN_KEY"] = address.key
            api["ERRAND_STANDIN_LISTEN"] = "\(address.address)"
            standin = ["ERRAND_STANDIN_LISTEN": "\(address.address)"]
            standin.merge(
                try await data.hand(
                    ["ERRAND_STANDIN_KEY": address.key],
                    to: "standin",
                    as: data.accounts?.worker
                )
            ) { $1 }
        }
        api.merge(try await data.hand(secrets, to: "api", as: data.accounts?.api)) { $1 }
        let token = enrolment.map { ["ERRAND_WORKER_TOKEN": $0] } ?? [:]
        // Read while the worker is still root, and good for one use.
        worker.merge(try await data.hand(token, to: "worker", as: nil)) { $1 }
    }

    private func namedTeam() throws -> TeamID? {
        guard let text = configuration.modelTeam else { return nil }
        guard let team = TeamID(text) else {
            throw CommandFailure("ERRAND_MODEL_TEAM must be the id of a team (team_01j…)")
        }
        return team
    }
}
