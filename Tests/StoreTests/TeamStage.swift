import Bytes
import Core
import TestSupport
import Testing

@testable import Store

/// One team with people of every role and a stranger, over the real store or the one in memory.
final class TeamStage {
    enum Backend: CaseIterable, Sendable { case memory, postgres }

    let teams: any TeamStore
    let invites: any InviteStore
    let team: Team
    let project: ProjectID
    let owner: User
    let admin: User
    let member: User
    let viewer: User
    let stranger: User
    private let world: World
    private let memory: InMemoryTeams?

    private init(_ backend: Backend, _ world: World) async throws {
        self.world = world
        let store = backend == .memory ? InMemoryTeams() : nil
        memory = store
        teams = store ?? world.store.teams
        invites = store ?? world.store.invites
        var people: [User] = []
        for _ in 0..<5 { people.append(try await Self.account(store, world)) }
        (owner, admin, member, viewer, stranger) = (people[0], people[1], people[2], people[3], people[4])
        team = Team(id: TeamID(at: World.start), name: world.unique("team"), createdAt: World.start)
        _ = try await teams.createTeam(team, owner: owner.id, most: nil, audit: .sample("team.created", team: team.id))
        for (user, role) in [(admin, Role.admin), (member, .member), (viewer, .viewer)] {
            let verdict = try await teams.addMember(
                user.id,
                to: team.id,
                role: role,
                now: World.start,
                audit: .sample("member.added", team: team.id)
            )
            #expect(verdict == .done)
        }
        if let store {
            project = ProjectID(at: World.start)
            store.add(project, of: team.id)
        } else {
            project = try await world.project(in: team.id).id
        }
    }

    static func run(_ backend: Backend, _ body: @escaping @Sendable (TeamStage) async throws -> Void) async throws {
        try await withWorld { try await body(TeamStage(backend, $0)) }
    }

    /// Has the stranger found a team; false when they own `most` already.
    func found(_ number: Int, most: Int?) async throws -> Bool {
        let name = world.unique("team \(number)")
        let team = Team(id: TeamID(at: World.start), name: name, createdAt: World.start)
        let audit = AuditDraft.sample("team.created", team: team.id)
        return try await teams.createTeam(team, owner: stranger.id, most: most, audit: audit)
    }

    func atOnce<Value>(_ count: Int, _ body: @escaping (Int) async throws -> Value) async throws -> [Value] {
        try await world.atOnce(count, body)
    }

    private static func account(_ memory: InMemoryTeams?, _ world: World) async throws -> User {
        guard let memory else { return try await world.person().user }
        let name = world.unique("person")
        let user = User(
            id: UserID(at: World.start),
            email: "\(name)@example.org",
            name: name,
            isAdministrator: false,
            isDisabled: false,
            createdAt: World.start
        )
        memory.add(user)
        return user
    }

    /// Disables an account.
    func disable(_ user: User) async throws {
        if let memory {
            var changed = user
            changed.isDisabled = true
            memory.add(changed)
        } else {
            #expect(try await world.store.accounts.setDisabled(user.id, true))
        }
    }

    /// What was recorded of the team and its people, in order.
    func acts() async throws -> [String] {
        if let memory { return memory.acts.map(\.action) }
        return try await world.acts(of: .team(team.id)).map(\.action).filter { $0 != "project.created" }
    }

    /// The roles of the team's people as the system sees them.
    func roles() async throws -> [UserID: Role] {
        let page = try await teams.members(of: team.id, after: nil, limit: 100, scope: .system)
        return Dictionary(uniqueKeysWithValues: page.items.map { ($0.user.id, $0.role) })
    }

    func user(_ role: Role) -> User {
        switch role {
        case .viewer: viewer
        case .member: member
        case .admin: admin
        case .owner: owner
        }
    }

    func setRole(_ user: User, _ role: Role, by actor: User) async throws -> TeamVerdict {
        try await teams.setRole(
            of: user.id,
            in: team.id,
            to: role,
            scope: .user(actor.id),
            audit: .sample("member.role_changed", team: team.id)
        )
    }

    func setProjectRole(_ user: User, _ role: Role?, by actor: User) async throws -> TeamVerdict {
        try await teams.setRole(
            of: user.id,
            in: project,
            to: role,
            scope: .user(actor.id),
            audit: .sample("member.role_changed", team: team.id)
        )
    }

    func remove(_ user: User, by actor: User) async throws -> TeamVerdict {
        try await teams.removeMember(
            user.id,
            from: team.id,
            scope: .user(actor.id),
            audit: .sample("member.removed", team: team.id)
        )
    }

    /// Invites with a token of this number.
    func invite(
        _ number: UInt8,
        _ role: Role = .member,
        email: String? = nil,
        lasts seconds: Int = 3_600,
        by actor: User
    ) async throws -> (id: InviteID, verdict: TeamVerdict) {
        let invite = Invite(
            id: InviteID(at: World.start.adding(.milliseconds(Int(number)))),
            teamID: team.id,
            role: role,
            email: email,
            invitedBy: actor.id,
            createdAt: World.start,
            expiresAt: World.start.adding(seconds: seconds)
        )
        let verdict = try await invites.create(
            invite,
            tokenHash: Self.hash(number),
            scope: .user(actor.id),
            audit: .sample("invite.created", team: team.id)
        )
        return (invite.id, verdict)
    }

    /// Invites by mail.
    func mail(
        _ number: UInt8,
        to address: String,
        by actor: User,
        after seconds: Int = 0
    ) async throws -> TeamVerdict {
        let now = World.start.adding(seconds: seconds)
        let invite = Invite(
            id: InviteID(at: now),
            teamID: team.id,
            role: .member,
            email: address,
            invitedBy: actor.id,
            createdAt: now,
            expiresAt: now.adding(seconds: 9_000)
        )
        if memory == nil { try await world.register(1) }
        let id = LetterID(at: now)
        let secret = StoredSecret(place: SecretPlace(letter: id), sealed: .sealed(under: 1))
        return try await invites.create(
            invite,
            tokenHash: Self.hash(number),
            letters: [LetterDraft(id: id, channel: .mail, secret: secret)],
            scope: .user(actor.id),
            audit: .sample("invite.created", team: team.id)
        )
    }

    func accept(_ number: UInt8, by guest: User, after seconds: Int = 1) async throws -> TeamVerdict {
        try await invites.accept(
            tokenHash: Self.hash(number),
            now: World.start.adding(seconds: seconds),
            scope: .user(guest.id),
            audit: .sample("invite.accepted", team: team.id)
        )
    }

    static func hash(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: 32) }
}
