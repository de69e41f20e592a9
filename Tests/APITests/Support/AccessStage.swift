import API
import Auth
import Bytes
import Core
import HTTP
import Store
import TestSupport
import Testing

/// Two teams that know nothing of each other, with people of every role in the first.
final class AccessStage {
    /// One team with something of everything.
    struct Objects {
        let team: String
        let project: String
        let job: String
        let invite: String
        /// The token of another invitation.
        let token: String
        /// A member whom requests are about.
        let fellow: String
        /// A key of each caller, and a service account, for the routes about them.
        var keys: [AccessCaller: String] = [:]
        var account = ""
        /// A client that is registered there.
        var app = ""
    }

    /// What a request says besides who sends it.
    struct Request {
        let path: String
        let body: JSONValue?
        var headers: [(String, String)] = []
    }

    private(set) var own: Objects
    private(set) var other: Objects
    private let world: APIWorld
    private let people: [AccessCaller: APIPerson]
    private let tokens: [AccessCaller: String]
    private let devices: [AccessCaller: String]
    /// Who each caller is at a provider, for the routes about that.
    private let identities: [AccessCaller: String]

    /// Sets the stage for one route, or for what all have in common: what only few need is made for these alone.
    init(_ world: APIWorld, for row: RouteRow? = nil) async throws {
        self.world = world
        let hasModelKeys = row?.pattern.hasSuffix("/model-key") ?? false
        var people: [AccessCaller: APIPerson] = [:]
        var tokens: [AccessCaller: String] = [:]
        var devices: [AccessCaller: String] = [:]
        var identities: [AccessCaller: String] = [:]
        let hasIdentities = row?.pattern.hasPrefix("/v1/me/identities") ?? false
        for caller in AccessCaller.allCases where caller != .nobody {
            let person = try await world.person()
            people[caller] = person
            let device = try await world.device(of: person)
            (tokens[caller], devices[caller]) = (device.token, device.id.description)
            if hasModelKeys { try await Self.setModelKey("/v1/me/model-key", token: device.token, world) }
            if hasIdentities {
                identities[caller] = try await world.link(person, issuer: "https://a.example").description
            }
        }
        self.people = people
        self.tokens = tokens
        self.devices = devices
        self.identities = identities
        let owner = try #require(people[.owner])
        for caller in AccessCaller.allCases {
            guard caller != .owner, let role = caller.role, let person = people[caller] else { continue }
            try await Self.join(person, owner.team.id, role, world)
        }
        own = try await Self.objects(of: owner, hasModelKey: hasModelKeys, world)
        let stranger = try await world.person()
        other = try await Self.objects(of: stranger, hasModelKey: hasModelKeys, world)
        if let row, row.pattern.contains("{client}") {
            let theirs = try await world.device(of: stranger).token
            own.app = try await Self.made("clients", own.team, tokens[.owner], world)
            other.app = try await Self.made("clients", other.team, theirs, world)
        }
        guard let row, row.pattern.contains("{key}") || row.pattern.contains("{account}") else { return }
        let theirs = try await world.device(of: stranger).token
        for caller in AccessCaller.allCases {
            other.keys[caller] = try await Self.made("api-keys", other.team, theirs, world)
            if caller.role != nil {
                own.keys[caller] = try await Self.made("api-keys", own.team, tokens[caller], world)
            }
        }
        own.account = try await Self.made("service-accounts", own.team, tokens[.owner], world)
        other.account = try await Self.made("service-accounts", other.team, theirs, world)
    }

    /// Makes a key or a service account, and gives its id.
    private static func made(_ noun: String, _ team: String, _ token: String?, _ world: APIWorld) async throws -> String
    {
        let members: [(String, JSONValue)] =
            noun == "clients"
            ? newClient
            : noun == "api-keys"
                ? [("name", .string("k")), ("scopes", .strings(["jobs:read"]))]
                : [("name", .string("a")), ("role", .string("viewer"))]
        let path = "/v1/teams/\(team)/\(noun)"
        let answer = try await world.send(.post, path, .object(JSONObject(members)), token: token)
        return try #require((answer.json["key"]?["id"] ?? answer.json["id"])?.string, "\(answer.text)")
    }

    static func join(_ person: APIPerson, _ team: TeamID, _ role: Role, _ world: APIWorld) async throws {
        let verdict = try await world.store.teams.addMember(
            person.user.id,
            to: team,
            role: role,
            now: world.time.now,
            audit: draft("member.added", world)
        )
        #expect(verdict == .done)
    }

    private static func draft(_ action: String, _ world: APIWorld) -> AuditDraft {
        AuditDraft(at: world.time.now, team: nil, actor: .system, action: action)
    }

    private static func objects(
        of owner: APIPerson,
        hasModelKey: Bool,
        _ world: APIWorld
    ) async throws -> Objects {
        let job = try await world.job(of: owner)
        // A finished one: its streams end.
        _ = try await world.store.jobs.requestCancel(
            job.id,
            scope: .user(owner.user.id),
            now: world.time.now,
            audit: draft("job.cancelled", world)
        )
        let fellow = try await world.person()
        try await join(fellow, owner.team.id, .viewer, world)
        let token = try await world.device(of: owner).token
        func invite() async throws -> JSONValue {
            let answer = try await world.send(
                .post,
                "/v1/teams/\(owner.team.id)/invites",
                .object(JSONObject([])),
                token: token
            )
            #expect(answer.status == 201, "\(answer.text)")
            return answer.json
        }
        if hasModelKey { try await setModelKey("/v1/teams/\(owner.team.id)/model-key", token: token, world) }
        return Objects(
            team: owner.team.id.description,
            project: job.projectID.description,
            job: job.id.description,
            invite: try #require(try await invite()["id"]?.string),
            token: try #require(try await invite()["token"]?.string),
            fellow: fellow.user.id.description
        )
    }

    private static func setModelKey(_ path: String, token: String, _ world: APIWorld) async throws {
        let answer = try await world.send(.put, path + "?verify=false", modelKey, token: token)
        #expect(answer.status == 200, "\(answer.text)")
    }

    private static let modelKey = object(("provider", "anthropic"), ("key", "sk-of-a-test-and-nothing-else"))

    /// Ids that name nothing.
    func missing() -> Objects {
        let now = world.time.now
        return Objects(
            team: TeamID(at: now).description,
            project: ProjectID(at: now).description,
            job: JobID(at: now).description,
            invite: InviteID(at: now).description,
            token: "einv_" + String(repeating: "A", count: 43),
            fellow: UserID(at: now).description,
            account: ServiceAccountID(at: now).description,
            app: OAuthClientID(at: now).description
        )
    }

    /// Begins the deletion of the own team.
    func beginDeletion() async throws {
        let answer = try await world.send(.delete, "/v1/teams/\(own.team)", token: tokens[.owner])
        #expect(answer.status == 202, "\(answer.text)")
    }

    func send(_ row: RouteRow, _ request: Request, _ caller: AccessCaller) async throws -> APIAnswer {
        try await send(row, request, token: tokens[caller])
    }

    /// Sends a request with anybody's token or key.
    func send(_ row: RouteRow, _ request: Request, token: String?) async throws -> APIAnswer {
        // Limits by address have tests of their own.
        let number = Int(world.unique("")) ?? 0
        return try await world.send(
            row.method,
            request.path,
            request.body,
            token: token,
            address: "198.18.\(number / 250 % 250).\(number % 250 + 1)",
            headers: request.headers
        )
    }

    /// A key of the owner's in the own team, or in its one project.
    func key(_ scopes: Set<KeyScope>, isLimited: Bool) async throws -> String {
        let owner = try #require(people[.owner])
        let secret = APIKeyToken.make()
        let key = APIKey(
            id: APIKeyID(at: world.time.now),
            team: owner.team.id,
            name: "matrix",
            hint: secret.hint,
            issuedBy: owner.user.id,
            serviceAccount: nil,
            scopes: scopes,
            projects: isLimited ? [try #require(ProjectID(own.project))] : nil,
            createdAt: world.time.now,
            expiresAt: nil
        )
        let verdict = try await world.store.apiKeys.createKey(
            key,
            hash: secret.hash,
            scope: .user(owner.user.id),
            now: world.time.now,
            audit: Self.draft("api_key.created", world)
        )
        try #require(verdict == .done)
        return secret.token
    }

    /// A well-formed request of a route, about these objects.
    func request(_ row: RouteRow, _ caller: AccessCaller, on objects: Objects) throws -> Request {
        var path = row.pattern
        let nouns = [
            ("/v1/teams/{id}", objects.team), ("/v1/projects/{id}", objects.project), ("/v1/jobs/{id}", objects.job),
            ("/v1/me/identities/{id}", identities[caller] ?? IdentityID(at: world.time.now).description),
            ("/v1/me/devices/{id}", devices[caller] ?? SignInID(at: world.time.now).description),
            ("/v1/me/passkeys/{id}", PasskeyID(at: world.time.now).description),
        ]
        for (head, id) in nouns where path.hasPrefix(head) {
            path = head.dropLast(4) + id + path.dropFirst(head.count)
        }
        for (placeholder, id) in [
            ("{user}", objects.fellow), ("{invite}", objects.invite), ("{account}", objects.account),
            ("{client}", objects.app),
            ("{key}", objects.keys[caller] ?? APIKeyID(at: world.time.now).description),
        ] {
            guard let place = path.firstRange(of: placeholder) else { continue }
            path.replaceSubrange(place, with: id)
        }
        if row.method == .get, case .chosen = row.access { path += "?team_id=\(objects.team)" }
        let archive = row.operationID == "putWorkspace" ? [("content-type", "application/x-tar")] : []
        return Request(path: path, body: Self.bodies[row.operationID]?(objects), headers: archive)
    }

    /// Whether the request of a route is one that succeeds where it is allowed.
    static func knows(_ row: RouteRow) -> Bool {
        bodies[row.operationID] != nil || row.method == .get && row.access.permission != nil
    }

    private static func object(_ members: (String, String)...) -> JSONValue {
        .object(JSONObject(members.map { ($0.0, JSONValue.string($0.1)) }))
    }

    private static let newClient: [(String, JSONValue)] = [
        ("name", .string("app")), ("redirect_uris", .strings(["https://app.test/back"])),
        ("scopes", .strings(["jobs:read"])), ("confidential", .bool(true)),
    ]

    /// The bodies of routes, nil for those that have none.
    private static let bodies: [String: @Sendable (Objects) -> JSONValue?] = [
        "createClient": { _ in .object(JSONObject(newClient)) },
        "removeClient": { _ in nil },
        "createTeam": { _ in object(("name", "new")) },
        "renameTeam": { _ in object(("name", "new")) },
        "setSecondFactorPolicy": { _ in .object(JSONObject([("required", .bool(false))])) },
        "deleteTeam": { _ in nil },
        "restoreTeam": { _ in nil },
        "transferTeam": { object(("user_id", $0.fellow)) },
        "leaveTeam": { _ in nil },
        "updateMember": { _ in object(("role", "viewer")) },
        "removeMember": { _ in nil },
        "createInvite": { _ in object(("role", "viewer")) },
        "revokeInvite": { _ in nil },
        "acceptInvite": { object(("token", $0.token)) },
        "createProject": { object(("name", "new"), ("team_id", $0.team)) },
        "updateProject": { _ in object(("name", "new")) },
        "deleteProject": { _ in nil },
        "putWorkspace": { _ in nil },
        "putProjectMember": { _ in object(("role", "viewer")) },
        "deleteProjectMember": { _ in nil },
        "executeClaude": { object(("project_id", $0.project), ("prompt", "hello")) },
        "createJob": {
            .object(
                JSONObject([
                    ("project_id", .string($0.project)), ("kind", .string("command")),
                    ("argv", .array([.string("true")])),
                ])
            )
        },
        "cancelJob": { _ in nil },
        "putMyModelKey": { _ in modelKey },
        "deleteMyModelKey": { _ in nil },
        "putTeamModelKey": { _ in modelKey },
        "deleteTeamModelKey": { _ in nil },
        "createKey": { _ in .members(["name": .string("new"), "scopes": .strings(["jobs:read"])]) },
        "rotateKey": { _ in nil },
        "revokeKey": { _ in nil },
        "createServiceAccount": { _ in object(("name", "new"), ("role", "viewer")) },
        "deleteServiceAccount": { _ in nil },
    ]
}
