import Bytes
import Core
import TestSupport
import Testing

@testable import Store

/// Secrets and model keys with people and their work, over the real stores or the ones in memory.
final class SecretStage {
    enum Backend: CaseIterable, Sendable { case memory, postgres }

    let secrets: any SecretStore
    let modelKeys: any ModelKeyStore
    private let world: World
    private let memory: (teams: InMemoryTeams, secrets: InMemorySecrets)?

    private init(_ backend: Backend, _ world: World) {
        self.world = world
        if backend == .memory {
            let teams = InMemoryTeams()
            let kept = InMemorySecrets(teams: teams, clock: ManualTime(World.start))
            memory = (teams, kept)
            (secrets, modelKeys) = (kept, kept)
        } else {
            memory = nil
            (secrets, modelKeys) = (world.store.secrets, world.store.modelKeys)
        }
    }

    static func run(_ backend: Backend, _ body: @escaping @Sendable (SecretStage) async throws -> Void) async throws {
        try await withWorld { try await body(SecretStage(backend, $0)) }
    }

    /// An account with its team and a project in it.
    func person() async throws -> Person {
        guard let memory else { return try await world.person() }
        let name = world.unique("person")
        let user = User(
            id: UserID(at: World.start),
            email: "\(name)@example.org",
            name: name,
            isAdministrator: false,
            isDisabled: false,
            createdAt: World.start
        )
        let team = Team(id: TeamID(at: World.start), name: name, createdAt: World.start)
        memory.teams.add(user)
        _ = try await memory.teams.createTeam(
            team,
            owner: user.id,
            most: nil,
            audit: .sample("team.created", team: team.id)
        )
        let project = Project(
            id: ProjectID(at: World.start),
            teamID: team.id,
            name: name,
            policy: .contained,
            homeWorker: nil,
            createdAt: World.start,
            updatedAt: World.start
        )
        return Person(user: user, team: team, project: project)
    }

    /// Makes a person a member of another's team.
    func join(_ person: Person, _ team: TeamID, _ role: Role) async throws {
        let teams: any TeamStore = memory?.teams ?? world.store.teams
        let verdict = try await teams.addMember(
            person.user.id,
            to: team,
            role: role,
            now: World.start,
            audit: .sample("member.added", team: team)
        )
        #expect(verdict == .done)
    }

    func disable(_ person: Person) async throws {
        if let memory {
            var user = person.user
            user.isDisabled = true
            memory.teams.add(user)
        } else {
            #expect(try await world.store.accounts.setDisabled(person.user.id, true))
        }
    }

    /// An agent's job of a person in the team of another.
    func agentJob(_ person: Person, in other: Person) async throws -> Job {
        guard let memory else { return try await world.agentJob(person, in: other) }
        let job = world.unsubmittedAgentJob(person, in: other)
        memory.secrets.add(job)
        return job
    }

    func grant(_ job: Job, fallback: ModelKeyKind? = nil) async throws -> GrantedModel? {
        try await modelKeys.grantModels([(job.id, fallback)]).first
    }

    /// Whose key the job says that it was granted.
    func kind(of job: Job) async throws -> ModelKeyKind? {
        if let memory { return memory.secrets.granted[job.id] }
        return try await world.current(job.id).modelKey
    }

    /// What was recorded in a chain, in order.
    func acts(of chain: AuditChain) async throws -> [String] {
        guard let memory else { return try await world.acts(of: chain).map(\.action) }
        return memory.secrets.acts.filter { $0.team.map { .team($0) } ?? .installation == chain }.map(\.action)
    }

    func register(_ number: UInt8) async throws { try await secrets.registerSample(number) }

    func setModelKey(
        of owner: ModelKeyOwner,
        by person: Person,
        filler: UInt8 = 0,
        sealed: [UInt8]? = nil,
        verifiedAt: Timestamp? = nil
    ) async throws {
        try await modelKeys.setSample(
            of: owner,
            by: person,
            sealed: sealed ?? .sealed(under: 1, filler: filler),
            verifiedAt: verifiedAt
        )
    }
}

extension MasterKeyID {
    /// A name that belongs to no key.
    static func sample(_ number: UInt8) -> MasterKeyID {
        guard let id = MasterKeyID([UInt8](repeating: number, count: MasterKeyID.length)) else {
            preconditionFailure("eight bytes are a name")
        }
        return id
    }
}

extension [UInt8] {
    /// Bytes in the form of a sealed secret.
    static func sealed(under key: UInt8, filler: UInt8 = 0) -> [UInt8] {
        [1] + MasterKeyID.sample(key).bytes + [UInt8](repeating: filler, count: 88)
    }
}

extension SecretStore {
    /// Registers a master key as the first server would.
    fileprivate func registerSample(_ number: UInt8) async throws(StoreError) {
        _ = try await register(.sample(number), of: [.sample(number)])
    }
}

extension ModelKeyStore {
    /// Keeps a model key in the person's scope.
    fileprivate func setSample(
        of owner: ModelKeyOwner,
        by person: Person,
        sealed: [UInt8],
        verifiedAt: Timestamp? = nil
    ) async throws(StoreError) {
        let key = ModelKey(
            owner: owner,
            provider: .compatible,
            baseURL: "https://gateway.example",
            lastFour: "wxyz",
            setBy: person.user.id,
            setAt: World.start,
            verifiedAt: verifiedAt
        )
        try await setModelKey(
            key,
            sealed: sealed,
            scope: person.scope,
            audit: .sample("model_key.set", team: person.team.id)
        )
    }
}

extension World {
    func register(_ number: UInt8) async throws { try await store.secrets.registerSample(number) }

    /// Keeps a model key in the person's scope.
    func setModelKey(of owner: ModelKeyOwner, by person: Person) async throws {
        try await store.modelKeys.setSample(of: owner, by: person, sealed: .sealed(under: 1))
    }

    fileprivate func unsubmittedAgentJob(_ person: Person, in other: Person) -> Job {
        var job = job(person)
        job.work = .claude(ClaudeSpec(prompt: "hello", model: nil, maxTurns: nil))
        (job.teamID, job.projectID) = (other.team.id, other.project.id)
        return job
    }

    /// An agent's job of a person in the team of another.
    func agentJob(_ person: Person, in other: Person? = nil) async throws -> Job {
        let job = unsubmittedAgentJob(person, in: other ?? person)
        let new = NewJob(job: job, idempotencyKey: nil, requestHash: [1])
        _ = try await store.jobs.submit([new], scope: person.scope)
        return job
    }
}
