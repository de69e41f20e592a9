package import Core
package import Platform

/// Where the database is and how many sessions each loop keeps.
package struct StoreConfiguration: Sendable {
    /// A `postgresql://` URL or a `key=value` string for the role `errand_app`.
    package var url: String
    /// More than about four per core lose throughput; each loop has its own.
    package var connections: Int

    /// Names the database.
    package init(url: String, connections: Int = 4) {
        self.url = url
        self.connections = connections
    }
}

/// The truth of one loop: its sessions with PostgreSQL and the stores over them; loop-confined.
package final class Store {
    /// Accounts and sign-ins.
    package let accounts: any AccountStore
    /// What teams have and may have.
    package let quotas: any QuotaStore
    /// Failed sign-ins.
    package let signInThrottle: any SignInThrottle
    /// Passwords and the links that reset them.
    package let passwords: any PasswordStore
    /// API keys and service accounts.
    package let apiKeys: any KeyStore
    /// Second factors and recovery codes.
    package let factors: any FactorStore
    /// Passkeys.
    package let passkeys: any PasskeyStore
    /// Clients that teams have registered.
    package let clients: any OAuthClientStore
    /// Machines that wait for their person's confirmation.
    package let deviceGrants: any DeviceGrantStore
    /// Teams and memberships.
    package let teams: any TeamStore
    /// Invitations into teams.
    package let invites: any InviteStore
    /// The end of teams.
    package let endings: any TeamEndingStore
    /// Projects.
    package let projects: any ProjectStore
    /// Jobs and their attempts.
    package let jobs: any JobStore
    /// Workers and their leases.
    package let workers: any WorkerStore
    /// The job log's durable half.
    package let log: any LogStore
    /// The audit log.
    package let audit: any AuditStore
    /// The audit log's checkpoints and anchors.
    package let auditCheckpoints: any AuditCheckpointStore
    /// Sealed secrets and the names of their master keys.
    package let secrets: any SecretStore
    /// Model keys of people and teams.
    package let modelKeys: any ModelKeyStore
    /// Letters that wait for being sent.
    package let outbox: any OutboxStore
    /// Outside OpenID providers.
    package let providers: any ProviderStore
    /// Who people are at providers.
    package let identities: any IdentityStore

    private let pool: PostgresPool
    private let loop: EventLoop

    /// Reads the configuration; `start` opens the sessions.
    package init(configuration: StoreConfiguration, loop: EventLoop) throws(StoreError) {
        let parameters = try ConnectionParameters(configuration.url)
        self.loop = loop
        pool = PostgresPool(parameters, size: configuration.connections, loop: loop)
        accounts = PostgresAccountStore(pool)
        quotas = PostgresQuotaStore(pool)
        signInThrottle = PostgresSignInThrottle(pool)
        passwords = PostgresPasswordStore(pool)
        apiKeys = PostgresKeyStore(pool)
        factors = PostgresFactorStore(pool)
        passkeys = PostgresPasskeyStore(pool)
        clients = PostgresOAuthClientStore(pool)
        deviceGrants = PostgresDeviceGrantStore(pool)
        teams = PostgresTeamStore(pool)
        invites = PostgresInviteStore(pool)
        endings = PostgresTeamEndingStore(pool)
        projects = PostgresProjectStore(pool)
        jobs = PostgresJobStore(pool, loop: loop)
        workers = PostgresWorkerStore(pool)
        log = PostgresLogStore(pool, loop: loop)
        audit = PostgresAuditStore(pool, loop: loop)
        auditCheckpoints = PostgresAuditCheckpointStore(pool)
        secrets = PostgresSecretStore(pool)
        modelKeys = PostgresModelKeyStore(pool)
        outbox = PostgresOutboxStore(pool)
        providers = PostgresProviderStore(pool)
        identities = PostgresIdentityStore(pool)
    }

    /// Opens the first session and checks that the role is held to row-level security; the others follow by themselves.
    package func start() async throws(StoreError) {
        try await pool.start()
        let isHeld = try await pool.run(nil, Self.isHeldToPolicies()).first { row throws(StoreError) in
            try row.value(Bool.self)
        }
        guard isHeld == true else {
            await pool.close()
            throw .failed(stage: "start: the database role bypasses row-level security", sqlState: "42501")
        }
    }

    /// Ends every session; what waits is answered `unavailable`.
    package func close() async {
        await pool.close()
    }

    /// Whether the database answers now; a silent one is given two seconds.
    package func ping() async -> Bool {
        guard pool.isOpen else { return false }
        let answered = LoopCondition()
        var isAlive: Bool?
        loop.spawnLocal { [pool] in
            do {
                _ = try await pool.run(nil, Self.alive())
                isAlive = true
            } catch {
                isAlive = false
            }
            answered.signalAll()
        }
        if isAlive == nil { _ = await answered.wait(timeout: .seconds(2), on: loop) }
        return isAlive ?? false
    }

    private static let alive = PostgresStatement("store.ping", "select 1")
    private static let isHeldToPolicies = PostgresStatement(
        "store.check_role",
        "select not (rolsuper or rolbypassrls) from pg_roles where rolname = current_user"
    )
}
