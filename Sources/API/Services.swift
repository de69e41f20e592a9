package import Auth
package import Core
package import Platform

/// What an operation of one loop works with; every member but the shared ones belongs to that loop.
package final class Services {
    package let loop: EventLoop
    package let time: any TimeSource
    package let accounts: any AccountStore
    package let teams: any TeamStore
    package let invites: any InviteStore
    package let endings: any TeamEndingStore
    package let projects: any ProjectStore
    package let jobs: any JobStore
    package let workers: any WorkerStore
    package let log: any LogStore
    package let audit: any AuditStore
    package let auditCheckpoints: any AuditCheckpointStore
    package let providers: any ProviderStore
    package let identities: any IdentityStore
    /// The way to identity providers.
    package let providerTransport: any ProviderTransport
    package let modelKeys: any ModelKeyStore
    package let modelCheck: any ModelKeyCheck
    /// Seals what may not stand in the database as it is.
    package let vault: SecretVault
    package let queue: any JobQueue
    package let tail: any LiveTail
    package let bus: any MessageBus
    package let buckets: any SharedBuckets
    package let signInThrottle: any SignInThrottle
    package let quotas: any QuotaStore
    package let passwords: any PasswordStore
    package let apiKeys: any KeyStore
    package let factors: any FactorStore
    package let passkeys: any PasskeyStore
    package let deviceGrants: any DeviceGrantStore
    package let clients: any OAuthClientStore
    package let outbox: any OutboxStore
    /// The list of leaked passwords, when there is one; read off the loop only.
    package let breachedPasswords: (any BreachedPasswords)?
    /// Where addresses are, when there is a file that says so; read off the loop only.
    package let places: (any PlaceBook)?
    /// The keys that sign tokens, until others are put in their place.
    package private(set) var keys: KeyRing
    package let verifier: AccessTokenVerifier
    /// How devices are known when they sign in again.
    package private(set) var deviceTokens: DeviceTokens
    /// Hashes passwords for all loops; bounded, so that a flood of sign-ins starves nothing else.
    package let passwordPool: PasswordPool
    /// Where the worker links of this process are found; shared by all loops.
    package let links: LinkRegistry
    package let settings: ServiceSettings
    package let health: any HealthChecks

    /// Gathers what the composition root has filled in.
    package init(
        loop: EventLoop,
        time: any TimeSource,
        accounts: any AccountStore,
        teams: any TeamStore,
        invites: any InviteStore,
        endings: any TeamEndingStore,
        projects: any ProjectStore,
        jobs: any JobStore,
        workers: any WorkerStore,
        log: any LogStore,
        audit: any AuditStore,
        auditCheckpoints: any AuditCheckpointStore,
        providers: any ProviderStore,
        identities: any IdentityStore,
        providerTransport: any ProviderTransport,
        modelKeys: any ModelKeyStore,
        modelCheck: any ModelKeyCheck,
        vault: SecretVault,
        queue: any JobQueue,
        tail: any LiveTail,
        bus: any MessageBus,
        buckets: any SharedBuckets,
        signInThrottle: any SignInThrottle,
        quotas: any QuotaStore,
        passwords: any PasswordStore,
        apiKeys: any KeyStore,
        factors: any FactorStore,
        passkeys: any PasskeyStore,
        deviceGrants: any DeviceGrantStore,
        clients: any OAuthClientStore,
        outbox: any OutboxStore,
        breachedPasswords: (any BreachedPasswords)? = nil,
        places: (any PlaceBook)? = nil,
        keys: KeyRing,
        verifier: AccessTokenVerifier,
        deviceTokens: DeviceTokens,
        passwordPool: PasswordPool,
        links: LinkRegistry,
        settings: ServiceSettings,
        health: any HealthChecks
    ) {
        self.loop = loop
        self.time = time
        self.accounts = accounts
        self.teams = teams
        self.invites = invites
        self.endings = endings
        self.projects = projects
        self.jobs = jobs
        self.workers = workers
        self.log = log
        self.audit = audit
        self.auditCheckpoints = auditCheckpoints
        self.providers = providers
        self.identities = identities
        self.providerTransport = providerTransport
        self.modelKeys = modelKeys
        self.modelCheck = modelCheck
        self.vault = vault
        self.queue = queue
        self.tail = tail
        self.bus = bus
        self.buckets = buckets
        self.signInThrottle = signInThrottle
        self.quotas = quotas
        self.passwords = passwords
        self.apiKeys = apiKeys
        self.factors = factors
        self.passkeys = passkeys
        self.deviceGrants = deviceGrants
        self.clients = clients
        self.outbox = outbox
        self.breachedPasswords = breachedPasswords
        self.places = places
        self.keys = keys
        self.verifier = verifier
        self.deviceTokens = deviceTokens
        self.passwordPool = passwordPool
        self.links = links
        self.settings = settings
        self.health = health
    }

    /// Signs and verifies by other keys from now on; what only the former ones believed is not believed any more.
    func replaceKeys(_ ring: KeyRing, _ devices: DeviceTokens) {
        keys = ring
        deviceTokens = devices
        verifier.replace(ring)
    }
}

/// The settings that operations depend on.
package struct ServiceSettings: Sendable {
    /// The issuer and audience of tokens, and the start of absolute links.
    package var publicURL: String
    /// The OpenAPI document as JSON.
    package var openAPI: [UInt8]
    /// What attempts without a key of their own people may use; memory only.
    package var model: ModelGrantSource?
    /// Browser origins whose WebSockets are accepted, besides the public URL's own.
    package var allowedOrigins: Set<String>
    /// What `/health` names as the version.
    package var version: String
    /// How many teams one person may own and still found another; nil for any number.
    package var teamsPerPerson: Int?
    /// How much may be asked.
    package var rates: RateSettings
    /// By which ways letters leave.
    package var channels: Set<LetterChannel>

    /// Makes settings.
    package init(
        publicURL: String,
        openAPI: [UInt8],
        model: ModelGrantSource?,
        allowedOrigins: Set<String>,
        version: String,
        teamsPerPerson: Int? = nil,
        rates: RateSettings = RateSettings(),
        channels: Set<LetterChannel> = []
    ) {
        self.publicURL = publicURL
        self.openAPI = openAPI
        self.model = model
        self.allowedOrigins = allowedOrigins
        self.version = version
        self.teamsPerPerson = teamsPerPerson
        self.rates = rates
        self.channels = channels
    }
}

/// The model that this installation grants to jobs whose people have no key of their own, and to whose jobs.
package struct ModelGrantSource: Sendable {
    package var endpoint: ModelEndpoint
    package var key: ClearSecret
    /// The one team that the key serves; nil for the stand-in, which is everybody's.
    package var team: TeamID?

    /// Makes a source.
    package init(endpoint: ModelEndpoint, key: ClearSecret, team: TeamID?) {
        self.endpoint = endpoint
        self.key = key
        self.team = team
    }

    /// What a job that uses it is said to have used.
    var kind: ModelKeyKind { team == nil ? .standIn : .installation }

    /// Whether jobs of a team may use it.
    func serves(_ other: TeamID) -> Bool { team == nil || team == other }
}

/// What readiness and metrics ask of the process.
package protocol HealthChecks: AnyObject {
    /// True when the database answers.
    func isDatabaseReady() async -> Bool
    /// True when Redis answers; its absence slows, but does not stop.
    func isQueueReady() async -> Bool
    /// The process's metrics in Prometheus text form.
    func metrics() async -> [UInt8]
}
