import Bytes
import Core
import HTTP
import Testing

@Suite struct KeyReachTests {
    @Test func `item 52: a key makes no key, and is nobody on the account's own routes`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let all = KeyScope.allCases.map(\.rawValue)
            let (id, secret) = try await stage.key(all)
            let body = JSONValue.members(["name": .string("more"), "scopes": .strings(["jobs:read"])])
            let account = JSONValue.form(["name": "more", "role": "viewer"])
            let password = JSONValue.form(["current_password": "x", "new_password": "y"])
            let denied: [(HTTPMethod, String, JSONValue?)] = [
                (.post, stage.path, body), (.get, stage.path, nil), (.delete, "\(stage.path)/\(id)", nil),
                (.post, "\(stage.path)/\(id)/rotate", nil), (.get, "/v1/teams/\(stage.team.id)/service-accounts", nil),
                (.post, "/v1/teams/\(stage.team.id)/service-accounts", account), (.get, "/v1/me", nil),
                (.get, "/v1/me/devices", nil), (.post, "/v1/me/devices/revoke-all", nil), (.get, "/v1/me/notices", nil),
                (.post, "/v1/me/password", password), (.post, "/v1/auth/logout", nil),
                (.post, "/v1/auth/reauthenticate", .form(["password": "x"])), (.post, "/v1/stream-tickets", nil),
                (.post, "/v1/teams", .form(["name": "mine"])),
            ]
            for (method, path, body) in denied {
                let answer = try await world.send(method, path, body, token: secret)
                #expect(answer.status == 403 && answer.code == "person_required", "\(method) \(path): \(answer.text)")
            }
            #expect(try await stage.shown(id) != nil)
            #expect(try await stage.reads(secret) == 200)
        }
    }

    @Test func `item 52: a key reaches no other team, neither by path nor by body`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let other = try await KeyStage(world)
            // The owner is in both teams; the key is in one.
            try await world.join(stage.owner, other.team, .admin)
            let secret = try await stage.key(KeyScope.allCases.map(\.rawValue)).secret
            let device = try await world.device(of: stage.owner).token
            let run = JSONValue.members([
                "project_id": .string(other.project.description), "kind": .string("command"),
                "argv": .strings(["true"]),
            ])
            let make = JSONValue.form(["name": "x", "team_id": other.team.id.description])
            let requests: [(HTTPMethod, String, JSONValue?)] = [
                (.get, "/v1/jobs/\(other.job.id)", nil), (.get, "/v1/projects/\(other.project)", nil),
                (.get, "/v1/teams/\(other.team.id)/members", nil), (.post, "/v1/jobs", run),
                (.post, "/v1/projects", make),
            ]
            for (method, path, body) in requests {
                #expect(try await world.send(method, path, body, token: secret).status == 404, "\(method) \(path)")
                let person = try await world.send(method, path, body, token: device)
                #expect((200...202).contains(person.status), "\(method) \(path): \(person.text)")
            }
            for path in ["/v1/jobs", "/v1/projects", "/v1/teams"] {
                let mine = try await world.send(.get, path, token: secret)
                let everything = try await world.send(.get, path, token: device)
                let teams = mine.json["items"]?.array?.map { ($0["team_id"] ?? $0["id"])?.string }
                #expect(Set(teams ?? []) == [stage.team.id.description], "\(path)")
                #expect((everything.json["items"]?.array?.count ?? 0) > (teams?.count ?? 0), "\(path)")
            }
        }
    }

    @Test func `a key that is limited to a project sees it and its jobs, and nothing else of the team`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let hidden = try await world.job(of: stage.owner)
            let limit = ("project_ids", JSONValue.strings([stage.project.description]))
            let scopes = ["jobs:read", "jobs:run", "projects:read", "projects:write", "workspace"]
            let secret = try await stage.key(scopes, [limit]).secret
            func status(_ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil) async throws -> Int {
                try await world.send(method, path, body, token: secret).status
            }
            func run(_ project: ProjectID) -> JSONValue {
                .members([
                    "project_id": .string(project.description), "kind": .string("command"), "argv": .strings(["true"]),
                ])
            }
            #expect(try await status(.get, "/v1/projects/\(stage.project)") == 200)
            #expect(try await status(.get, "/v1/projects/\(hidden.projectID)") == 404)
            #expect(try await status(.get, "/v1/jobs/\(stage.job.id)") == 200)
            #expect(try await status(.get, "/v1/jobs/\(hidden.id)") == 404)
            #expect(try await status(.post, "/v1/jobs/\(hidden.id)/cancel") == 404)
            #expect(try await status(.post, "/v1/jobs", run(stage.project)) == 202)
            #expect(try await status(.post, "/v1/jobs", run(hidden.projectID)) == 404)
            #expect(try await status(.patch, "/v1/projects/\(hidden.projectID)", .form(["name": "x"])) == 404)
            #expect(try await status(.patch, "/v1/projects/\(stage.project)", .form(["name": "renamed"])) == 200)
            #expect(try await status(.get, "/v1/teams/\(stage.team.id)/members") == 404)
            func put(_ project: ProjectID, by token: String) async throws -> APIAnswer {
                let archive = [("content-type", "application/x-tar")]
                let path = "/v1/projects/\(project)/workspace"
                return try await world.send(.put, path, token: token, headers: archive)
            }
            // No worker is there to take it: it came that far.
            #expect(try await put(stage.project, by: secret).code == "worker_unavailable")
            #expect(try await put(hidden.projectID, by: secret).code == "project_not_found")
            #expect(try await put(hidden.projectID, by: stage.token).code == "worker_unavailable")
            let looking = try await stage.key(["projects:read"], [limit]).secret
            #expect(try await put(stage.project, by: looking).code == "scope_missing")
            let made = try await world.send(.post, "/v1/projects", .form(["name": "new"]), token: secret)
            #expect(made.status == 403 && made.code == "key_limited")
            for path in ["/v1/jobs", "/v1/jobs?state=queued", "/v1/projects", "/v1/jobs?project_id=\(stage.project)"] {
                let items = try await world.send(.get, path, token: secret).json["items"]?.array ?? []
                let seen = Set(items.map { ($0["project_id"] ?? $0["id"])?.string })
                #expect(seen == [stage.project.description], "\(path)")
            }
            let none = try await world.send(.get, "/v1/jobs?project_id=\(hidden.projectID)", token: secret)
            #expect(none.json["items"]?.array?.isEmpty == true)
            #expect(try await status(.get, "/v1/teams") == 200)
            for scope in ["audit:read", "members:read"] {
                let odd = try await stage.ask([scope], [limit])
                #expect(odd.status == 422, "\(scope)")
            }
        }
    }

    @Test func `item 51: scopes are a subset of what the maker may, and never more than the role does`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            var tokens: [Role: String] = [.owner: stage.token]
            var people: [Role: APIPerson] = [:]
            for role in [Role.viewer, .member, .admin] {
                let person = try await world.person()
                try await world.join(person, stage.team, role)
                people[role] = person
                tokens[role] = try await world.device(of: person).token
            }
            for (role, token) in tokens {
                for scope in KeyScope.allCases {
                    let expected =
                        switch scope {
                        case .jobsRead, .projectsRead, .membersRead, .workspace: true
                        case .jobsRun, .projectsWrite: role >= .member
                        case .auditRead: role >= .admin
                        }
                    let answer = try await stage.ask([scope.rawValue], by: token)
                    #expect(answer.status == (expected ? 201 : 403), "\(role) \(scope.rawValue): \(answer.text)")
                }
            }
            // A role that shrinks takes its keys along: nothing that a key was given outlives the right to it.
            let secret = try await stage.key(["jobs:run", "jobs:read"], by: tokens[.member]).secret
            let run = JSONValue.members([
                "project_id": .string(stage.project.description), "kind": .string("command"),
                "argv": .strings(["true"]),
            ])
            #expect(try await world.send(.post, "/v1/jobs", run, token: secret).status == 202)
            try await world.join(try #require(people[.member]), stage.team, .viewer)
            #expect(try await world.send(.post, "/v1/jobs", run, token: secret).status == 403)
            #expect(try await stage.reads(secret) == 200)
        }
    }

    @Test func `a service account's job is its own, and its key never does more than its role`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let member = try await world.person()
            try await world.join(member, stage.team, .member)
            let token = try await world.device(of: member).token
            #expect(try await stage.serviceAccount("sneaky", "viewer", by: token).status == 403)
            let made = try await stage.serviceAccount("deployer", "member")
            #expect(made.status == 201)
            let account = try #require(made.json["id"]?.string)
            #expect(try await stage.serviceAccount("deployer", "viewer").code == "name_taken")
            #expect(try await stage.serviceAccount("lord", "owner").status == 422)
            let own = ("service_account_id", JSONValue.string(account))
            #expect(try await stage.ask(["jobs:run"], [own], by: token).status == 403)
            #expect(try await stage.ask(["audit:read"], [own]).status == 403)
            let secret = try await stage.key(["jobs:run", "jobs:read", "projects:write"], [own]).secret
            let run = JSONValue.members([
                "project_id": .string(stage.project.description), "kind": .string("command"),
                "argv": .strings(["true"]),
            ])
            let job = try await world.send(.post, "/v1/jobs", run, token: secret, headers: [("idempotency-key", "one")])
            #expect(job.status == 202 && job.json["submitted_by"]?.string == account)
            let same = try await world.send(
                .post,
                "/v1/jobs",
                run,
                token: secret,
                headers: [("idempotency-key", "one")]
            )
            #expect(same.json["id"] == job.json["id"])
            let id = try #require(job.json["id"]?.string)
            let seen = try await world.send(.get, "/v1/jobs/\(id)", token: stage.token)
            #expect(seen.json["submitted_by"]?.string == account)
            // Deleting a project is an administrator's.
            #expect(try await world.send(.delete, "/v1/projects/\(stage.project)", token: secret).status == 403)

            let accounts = "/v1/teams/\(stage.team.id)/service-accounts"
            let list = try await world.send(.get, accounts, token: stage.token)
            #expect(list.json["items"]?.array?.map { $0["id"]?.string } == [account])
            #expect(try await world.send(.delete, "\(accounts)/\(account)", token: stage.token).status == 204)
            #expect(try await stage.reads(secret) == 401)
            #expect(try await world.send(.delete, "\(accounts)/\(account)", token: stage.token).status == 404)
            #expect(try await stage.serviceAccount("deployer", "viewer").status == 201)
        }
    }

    @Test func `people see and end their own keys, administrators everybody's; nobody rotates another's`() async throws
    {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let (one, two) = (try await world.person(), try await world.person())
            for person in [one, two] { try await world.join(person, stage.team, .member) }
            let (first, second) = (try await world.device(of: one).token, try await world.device(of: two).token)
            let key = try await stage.key(["jobs:read"], by: first)
            func count(_ token: String) async throws -> Int? {
                try await world.send(.get, stage.path, token: token).json["items"]?.array?.count
            }
            #expect(try await count(first) == 1)
            #expect(try await count(second) == 0)
            #expect(try await count(stage.token) == 1)
            let path = "\(stage.path)/\(key.id)"
            #expect(try await world.send(.delete, path, token: second).status == 404)
            #expect(try await world.send(.post, "\(path)/rotate", token: second).status == 404)
            #expect(try await world.send(.post, "\(path)/rotate", token: stage.token).status == 403)
            #expect(try await stage.reads(key.secret) == 200)
            #expect(try await world.send(.delete, path, token: stage.token).status == 204)
            #expect(try await stage.reads(key.secret) == 401)
            let stranger = try await world.device(of: try await world.person()).token
            #expect(try await world.send(.get, stage.path, token: stranger).code == "team_not_found")
        }
    }
}
