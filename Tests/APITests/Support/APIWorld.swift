import API
import Auth
import Bytes
import Core
import HTTP
import Platform
import Queue
import Store
import TestSupport
import Testing

/// The API over a real database, with time in the test's hand: several replicas of one loop each, without sockets.
final class APIWorld {
    static let start = Timestamp(milliseconds: 1_790_000_000_000)
    static let publicURL = "https://errand.test"
    /// Everybody's password, hashed once at the standard cost.
    static let password = "harbour copper lantern"

    let loop: EventLoop
    let time = ManualTime(APIWorld.start)
    let bus = InMemoryBus()
    let tail: InMemoryTail
    let log = InMemoryLogStore()
    let modelCheck = ScriptedModelCheck()
    let provider: ScriptedProvider
    let masterKeys = MasterKeysInMemory(MasterKeyRing(firstKeyAt: APIWorld.start))
    let store: Store
    /// Rates are counted on the loop's clock.
    let buckets: InMemoryBuckets
    let databaseURL: String
    private let passwords: PasswordPool
    private let checked: CheckedHashes
    private(set) var keys: SigningKeySet
    private(set) var replicas: [Replica] = []
    /// What replicas that are added from now on have.
    var rates = RateSettings()
    var breachedPasswords: (any BreachedPasswords)?
    var places: (any PlaceBook)?
    var channels: Set<LetterChannel> = []
    let keyStore: WatchedKeyStore
    private var serial = 0
    private let model: ModelGrantSource?

    /// One API process's loop: its operations and what it keeps in mind.
    final class Replica {
        let services: Services
        let endpoints: Endpoints
        let router: Router

        init(_ services: Services) {
            self.services = services
            endpoints = Endpoints(services)
            router = Router(endpoints.routes)
            router.onInternalError = { error, operation, _ in Issue.record("\(operation): \(error)") }
        }
    }

    init(databaseURL: String, replicas count: Int, model: ModelGrantSource? = nil, loop: EventLoop) throws {
        self.loop = loop
        self.model = model
        self.databaseURL = databaseURL
        let checked = CheckedHashes()
        self.checked = checked
        passwords = PasswordPool(threads: 2, queueLimit: 64) { hash in checked.all.withLock { $0.append(hash) } }
        provider = try ScriptedProvider(clock: time)
        tail = InMemoryTail(bus: bus)
        buckets = InMemoryBuckets { [loop] in Int64(clamping: loop.now.nanoseconds / 1_000) }
        store = try Store(configuration: StoreConfiguration(url: databaseURL, connections: 2), loop: loop)
        keyStore = WatchedKeyStore(store.apiKeys)
        keys = try SigningKeySet(firstKeyAt: APIWorld.start)
        for _ in 0..<count { addReplica() }
    }

    /// Starts another API process, and answers with its number.
    @discardableResult
    func addReplica() -> Int {
        replicas.append(Replica(services()))
        return replicas.count - 1
    }

    /// What the operations of one loop work with; a test may put stores of its own in the place of some.
    func services(
        jobs: (any JobStore)? = nil,
        log: (any LogStore)? = nil,
        endings: (any TeamEndingStore)? = nil
    ) -> Services {
        let ring = KeyRing(keys, issuer: Self.publicURL, audience: Self.publicURL)
        return Services(
            loop: loop,
            time: time,
            accounts: store.accounts,
            teams: store.teams,
            invites: store.invites,
            endings: endings ?? store.endings,
            projects: store.projects,
            jobs: jobs ?? store.jobs,
            workers: store.workers,
            log: log ?? self.log,
            audit: store.audit,
            auditCheckpoints: store.auditCheckpoints,
            providers: store.providers,
            identities: store.identities,
            providerTransport: provider,
            modelKeys: store.modelKeys,
            modelCheck: modelCheck,
            vault: SecretVault(keys: masterKeys, store: store.secrets),
            queue: InMemoryQueue(clock: time, bus: bus),
            tail: tail,
            bus: bus,
            buckets: buckets,
            signInThrottle: store.signInThrottle,
            quotas: store.quotas,
            passwords: store.passwords,
            apiKeys: keyStore,
            factors: store.factors,
            passkeys: store.passkeys,
            deviceGrants: store.deviceGrants,
            clients: store.clients,
            outbox: store.outbox,
            breachedPasswords: breachedPasswords,
            places: places,
            keys: ring,
            verifier: AccessTokenVerifier(ring),
            deviceTokens: DeviceTokens(keys),
            passwordPool: passwords,
            links: LinkRegistry(),
            settings: ServiceSettings(
                publicURL: Self.publicURL,
                openAPI: Array("{}".utf8),
                model: model,
                allowedOrigins: [],
                version: "test",
                rates: rates,
                channels: channels
            ),
            health: HealthyProcess()
        )
    }

    /// The stored hashes that passwords were checked against, in that order.
    var checkedHashes: [String] { checked.all.withLock { $0 } }

    /// A word that no other call gave.
    func unique(_ stem: String) -> String {
        serial += 1
        return "\(stem)\(serial)"
    }

    /// An account with a team of its own, and `APIWorld.password`.
    func person(passwordHash: String? = nil) async throws -> APIPerson {
        let name = unique("person")
        let user = User(
            id: UserID(at: time.now),
            email: "\(name)@example.org",
            name: name,
            isAdministrator: false,
            isDisabled: false,
            createdAt: time.now
        )
        let team = Team(id: TeamID(at: time.now), name: name, createdAt: time.now)
        try await store.accounts.createUser(
            user,
            passwordHash: passwordHash ?? TestPassword.hash.get(),
            team: team,
            audit: [act("user.created", nil, user.id)]
        )
        return APIPerson(user: user, team: team)
    }

    /// Makes a person a member of another's team, or gives them another role there.
    func join(_ person: APIPerson, _ team: Team, _ role: Role) async throws {
        let id = person.user.id
        let audit = act("member.added", team.id, id)
        let added = try await store.teams.addMember(id, to: team.id, role: role, now: time.now, audit: audit)
        guard added == .alreadyMember else { return try #require(added == .done) }
        let set = try await store.teams.setRole(of: id, in: team.id, to: role, scope: .system, audit: audit)
        try #require([.done, .unchanged].contains(set))
    }

    /// Disables an account.
    func disable(_ person: APIPerson) async throws -> Bool {
        try await store.accounts.setDisabled(person.user.id, true, audit: act("user.disabled", nil, person.user.id))
    }

    /// Enables an account again.
    func enable(_ person: APIPerson) async throws -> Bool {
        try await store.accounts.setDisabled(person.user.id, false, audit: act("user.enabled", nil, person.user.id))
    }

    /// Ends all sign-ins of a person but one, where no server hears of it.
    func endSignIns(of person: APIPerson, except kept: SignInID) async throws {
        _ = try await store.accounts.revokeAll(
            of: person.user.id,
            except: kept,
            now: time.now,
            audit: act("sign_in.revoked", nil, person.user.id)
        )
    }

    /// Links an identity to an account, named as the person is.
    func link(_ person: APIPerson, issuer: String, subject: String? = nil) async throws -> IdentityID {
        let identity = UserIdentity(
            id: IdentityID(at: time.now),
            userID: person.user.id,
            issuer: issuer,
            subject: subject ?? person.user.name,
            email: person.user.email,
            linkedAt: time.now,
            lastUsedAt: time.now
        )
        try await store.identities.link(identity, audit: act("identity.linked", nil, identity.id))
        return identity.id
    }

    /// What a test does beside the API, for the audit log.
    private func act<N: Noun>(_ action: String, _ team: TeamID?, _ target: ID<N>) -> AuditDraft {
        AuditDraft(at: time.now, team: team, actor: .system, action: action, target: target.description)
    }

    /// What the audit log has of acts outside teams, or of a team's, oldest first.
    func acts(of team: Team? = nil) async throws -> [AuditEntry] { try await acts(of: AuditChain(team?.id)) }

    /// What a chain of the audit log says, oldest first.
    func acts(of chain: AuditChain) async throws -> [AuditEntry] {
        try await store.audit.stored(chain, after: .start, limit: 10_000).compactMap {
            AuditEntry(canonical: $0.canonical)
        }
    }

    /// Sends a request to a replica as the transport would, and gives the whole answer.
    func send(
        _ method: HTTPMethod,
        _ target: String,
        _ body: JSONValue? = nil,
        token: String? = nil,
        address: String = "192.0.2.1",
        headers more: [(String, String)] = [],
        replica: Int = 0
    ) async throws -> APIAnswer {
        var headers = HTTPHeaders(more)
        if body != nil { headers.append(name: "content-type", value: "application/json") }
        if let token { headers.append(name: "authorization", value: "Bearer \(token)") }
        let request = try HTTPRequest(
            method: method,
            target: target,
            headers: headers,
            body: InMemoryBody(body?.encoded() ?? []),
            remoteAddress: address,
            isSecure: true,
            requestID: RequestID(at: time.now).description,
            authority: "errand.test"
        )
        return try await APIAnswer(replicas[replica].router.respond(to: request), on: loop)
    }

    /// A token of a new device, without the cost of a password.
    func device(of person: APIPerson, _ name: String = "device") async throws -> (token: String, id: SignInID) {
        let signIn = SignIn(
            id: SignInID(at: time.now),
            userID: person.user.id,
            deviceName: name,
            address: "192.0.2.1",
            userAgent: "test",
            createdAt: time.now,
            lastUsedAt: time.now,
            expiresAt: time.now.adding(RefreshToken.lifetime),
            revokedAt: nil
        )
        try await store.accounts.createSignIn(
            signIn,
            credential: .refresh(hash: RefreshToken.make().hash),
            grant: nil,
            passwordGeneration: nil,
            traits: [],
            notice: nil,
            audit: []
        )
        return (try token(for: signIn), signIn.id)
    }

    /// An access token of a sign-in, made now.
    func token(for signIn: SignIn) throws -> String {
        try replicas[0].services.keys.sign(
            AccessClaims(
                issuer: Self.publicURL,
                audience: Self.publicURL,
                subject: signIn.userID,
                signIn: signIn.id,
                tokenID: RequestID(at: time.now).description,
                issuedAt: time.now,
                expiresAt: time.now.adding(AccessTokenTimes.lifetime),
                scopes: ["all"],
                clientID: "errand"
            )
        )
    }

    /// A job of a person's team that waits for a worker for ever.
    func job(of person: APIPerson, attempts: Int = 1, workspace: WorkspaceMode = .none) async throws -> Job {
        let project = Project(
            id: ProjectID(at: time.now),
            teamID: person.team.id,
            name: unique("project"),
            policy: .contained,
            homeWorker: nil,
            createdAt: time.now,
            updatedAt: time.now
        )
        try await store.projects.createProject(
            project,
            scope: .user(person.user.id),
            audit: act("project.created", person.team.id, project.id)
        )
        let job = Job(
            id: JobID(at: time.now),
            teamID: person.team.id,
            projectID: project.id,
            submittedBy: .person(person.user.id),
            workspace: workspace,
            policy: .contained,
            work: .command(CommandSpec(argv: ["true"], environment: [:], standardInput: nil)),
            maxAttempts: attempts,
            timeoutSeconds: nil,
            createdAt: time.now,
            runAt: time.now
        )
        let new = NewJob(
            job: job,
            idempotencyKey: nil,
            requestHash: [1],
            audit: act("job.submitted", person.team.id, job.id)
        )
        _ = try await store.jobs.submit([new], scope: .user(person.user.id))
        return job
    }

    /// Signs in and gives the tokens.
    func signIn(
        _ person: APIPerson,
        device: String? = nil,
        address: String = "192.0.2.1",
        userAgent: String? = nil,
        password: String = APIWorld.password,
        replica: Int = 0
    ) async throws -> APITokens {
        var form: [(String, JSONValue)] = [("email", .string(person.user.email)), ("password", .string(password))]
        if let device { form.append(("device_name", .string(device))) }
        let answer = try await send(
            .post,
            "/v1/auth/login",
            .object(JSONObject(form)),
            address: address,
            headers: userAgent.map { [("user-agent", $0)] } ?? [],
            replica: replica
        )
        return try APITokens(answer)
    }
}

/// What the pool's threads checked passwords against.
private final class CheckedHashes: Sendable {
    let all = Lock<[String]>([])
}

/// A person of a test, with their own team.
struct APIPerson {
    let user: User
    let team: Team
}

/// What a sign-in gave.
struct APITokens {
    let access: String
    let refresh: String
    /// Only of a sign-in.
    let device: String?

    init(_ answer: APIAnswer) throws {
        try #require(answer.status == 200, "\(answer.text)")
        access = try #require(answer.json["access_token"]?.string)
        refresh = try #require(answer.json["refresh_token"]?.string)
        device = answer.json["device_token"]?.string
    }
}

/// The hash of `APIWorld.password`, made once: it takes a tenth of a second.
private enum TestPassword {
    static let hash = Result { try PasswordCheck.hash(APIWorld.password) }
}

/// Readiness that no test asks for.
private final class HealthyProcess: HealthChecks {
    func isDatabaseReady() async -> Bool { true }
    func isQueueReady() async -> Bool { true }
    func metrics() async -> [UInt8] { [] }
}

/// Runs a body over a world of its own.
func withAPI(
    replicas: Int = 1,
    model: ModelGrantSource? = nil,
    _ body: @escaping @Sendable (APIWorld) async throws -> Void
) async throws {
    let url = try await APIDatabases.shared.fresh()
    let loop = try EventLoop.start(name: "api-test")
    defer { loop.stop() }
    try await loop.run {
        let world = try APIWorld(databaseURL: url, replicas: replicas, model: model, loop: loop)
        try await world.store.start()
        do {
            try await body(world)
        } catch {
            await world.store.close()
            throw error
        }
        await world.store.close()
    }
}
