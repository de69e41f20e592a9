import Bytes
import Core
import HTTP
import Platform
import Store
import Testing

@testable import API

@Suite struct TeamTests {
    private static func object(_ members: (String, String)...) -> JSONValue {
        .object(JSONObject(members.map { ($0.0, JSONValue.string($0.1)) }))
    }

    /// Adds somebody to a team, without an invitation.
    private static func join(_ person: APIPerson, _ team: TeamID, _ role: Role, _ world: APIWorld) async throws {
        let audit = AuditDraft(at: world.time.now, team: nil, actor: .system, action: "member.added")
        let verdict = try await world.store.teams.addMember(
            person.user.id,
            to: team,
            role: role,
            now: world.time.now,
            audit: audit
        )
        #expect(verdict == .done)
    }

    @Test func `an invitation's link is shown once, works once, and no row knows its token`() async throws {
        try await withAPI { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            let token = try await world.device(of: owner).token
            let path = "/v1/teams/\(owner.team.id)/invites"
            let made = try await world.send(
                .post,
                path,
                Self.object(("role", "admin"), ("email", guest.user.email.uppercased())),
                token: token
            )
            #expect(made.status == 201 && made.headers["cache-control"] == "no-store")
            let secret = try #require(made.json["token"]?.string)
            #expect(made.json["url"]?.string == APIWorld.publicURL + "/invite?token=" + secret)
            #expect(made.json["email"]?.string == guest.user.email)
            // 256 random bits in base64, and the prefix.
            #expect(secret.hasPrefix("einv_") && secret.utf8.count == 5 + 43)
            let listed = try await world.send(.get, path, token: token)
            #expect(!listed.text.contains(secret) && listed.json["items"]?.array?.first?["state"]?.string == "open")
            let link = made.json["url"]?.string ?? ""
            let theirs = try await world.device(of: guest).token
            let accepted = try await world.send(
                .post,
                "/v1/invites/accept",
                Self.object(("token", link)),
                token: theirs
            )
            #expect(accepted.status == 200 && accepted.json["role"]?.string == "admin")
            #expect(try await world.send(.get, "/v1/teams/\(owner.team.id)", token: theirs).status == 200)
            let again = try await world.send(
                .post,
                "/v1/invites/accept",
                Self.object(("token", link)),
                token: theirs
            )
            #expect(again.status == 404 && again.code == "invite_not_found")
            let chain = try await world.acts(of: .team(owner.team.id))
            #expect(chain.suffix(2).map(\.action) == ["invite.created", "invite.accepted"])
            #expect(chain.last?.actor.text == guest.user.id.description)
        }
    }

    @Test func `item 31: whatever is wrong with an invitation, the answer is the same`() async throws {
        try await withAPI { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            let token = try await world.device(of: owner).token
            let path = "/v1/teams/\(owner.team.id)/invites"
            func made(_ body: JSONValue = .object(JSONObject([]))) async throws -> (id: String, token: String) {
                let json = try await world.send(.post, path, body, token: token).json
                return (try #require(json["id"]?.string), try #require(json["token"]?.string))
            }
            let revoked = try await made()
            #expect(try await world.send(.delete, "\(path)/\(revoked.id)", token: token).status == 204)
            let bound = try await made(Self.object(("email", "somebody@example.org")))
            let short = try await made(.object(JSONObject([("expires_in_seconds", .integer(60))])))
            world.time.advance(by: .seconds(60))
            let theirs = try await world.device(of: guest).token
            var answers: [APIAnswer] = []
            let unknown = "einv_" + String(repeating: "A", count: 43)
            for secret in [revoked.token, bound.token, short.token, unknown, "x", "einv_", "https://a/#", "#"] {
                let body = Self.object(("token", secret))
                answers.append(try await world.send(.post, "/v1/invites/accept", body, token: theirs))
            }
            for answer in answers {
                #expect(answer.status == 404 && answer.anonymous == answers[0].anonymous)
                #expect(answer.headers.anonymous == answers[0].headers.anonymous)
            }
            // The control.
            let good = try await made().token
            let accepted = try await world.send(
                .post,
                "/v1/invites/accept",
                Self.object(("token", good)),
                token: theirs
            )
            #expect(accepted.status == 200)
        }
    }

    @Test func `item 56: members that an operation does not take are refused, and change nothing`() async throws {
        try await withAPI { world in
            let stage = try await AccessStage(world)
            var tried = 0
            for row in Endpoints.table {
                let request = try stage.request(row, .owner, on: stage.own)
                guard let body = request.body?.object else { continue }
                for name in ["role", "team_id", "is_admin", "is_administrator", "owner", "owner_id", "id", "user_id"]
                where body[name] == nil {
                    // What the operation may be given is not one that it must not.
                    if row.operationID == "createInvite", name == "role" { continue }
                    if row.operationID == "createProject", name == "team_id" { continue }
                    let more = JSONObject(body.members.map { ($0.name, $0.value) } + [(name, .string("owner"))])
                    let answer = try await stage.send(
                        row,
                        AccessStage.Request(path: request.path, body: .object(more)),
                        .owner
                    )
                    let what = "\(row.operationID) with \(name): \(answer.status) \(answer.text)"
                    #expect(answer.status == 400 && answer.code == "unknown_fields", "\(what)")
                    #expect(answer.json["errors"]?.array?.first?["pointer"]?.string == "/\(name)", "\(what)")
                    tried += 1
                }
            }
            #expect(tried > 60)
        }
    }

    @Test func `item 58: a role above one's own is given by no way, and each try is recorded`() async throws {
        try await withAPI { world in
            let (owner, admin, member) = (try await world.person(), try await world.person(), try await world.person())
            let team = owner.team.id
            try await Self.join(admin, team, .admin, world)
            try await Self.join(member, team, .member, world)
            let token = try await world.device(of: admin).token
            let place = "/v1/teams/\(team)"
            let tries: [(HTTPMethod, String, JSONValue?)] = [
                (.patch, "\(place)/members/\(admin.user.id)", Self.object(("role", "owner"))),
                (.patch, "\(place)/members/\(member.user.id)", Self.object(("role", "owner"))),
                (.patch, "\(place)/members/\(owner.user.id)", Self.object(("role", "viewer"))),
                (.delete, "\(place)/members/\(owner.user.id)", nil),
                (.post, "\(place)/invites", Self.object(("role", "owner"))),
            ]
            for (method, path, body) in tries {
                let answer = try await world.send(method, path, body, token: token)
                #expect(answer.status == 403 && answer.code == "above_own_role", "\(method.rawValue) \(path)")
            }
            let transfer = try await world.send(
                .post,
                "\(place)/transfer",
                Self.object(("user_id", admin.user.id.description)),
                token: token
            )
            #expect(transfer.status == 403 && transfer.code == "forbidden")
            let refused = try await world.acts(of: .team(team)).filter { $0.outcome == .refused }
            #expect(refused.count == tries.count + 1)
            #expect(refused.allSatisfy { $0.action == "permission.refused" })
            let roles = try await world.store.teams.members(of: team, after: nil, limit: 9, scope: .system)
            #expect(roles.items.map(\.role).sorted() == [.member, .admin, .owner])
            // The control: what is within the own role.
            let allowed = try await world.send(
                .patch,
                "\(place)/members/\(member.user.id)",
                Self.object(("role", "admin")),
                token: token
            )
            #expect(allowed.status == 200 && allowed.json["role"]?.string == "admin")
        }
    }

    @Test func `item 58: the last owner stays, until the team is handed over`() async throws {
        try await withAPI { world in
            let (owner, heir) = (try await world.person(), try await world.person())
            let place = "/v1/teams/\(owner.team.id)"
            try await Self.join(heir, owner.team.id, .viewer, world)
            let token = try await world.device(of: owner).token
            let own = "\(place)/members/\(owner.user.id)"
            for (method, path, body) in [
                (HTTPMethod.delete, "\(place)/members/me", nil), (.delete, own, nil),
                (.patch, own, Self.object(("role", "admin"))),
            ] as [(HTTPMethod, String, JSONValue?)] {
                let answer = try await world.send(method, path, body, token: token)
                #expect(answer.status == 409 && answer.code == "last_owner", "\(method.rawValue) \(path)")
            }
            let handed = try await world.send(
                .post,
                "\(place)/transfer",
                Self.object(("user_id", heir.user.id.description)),
                token: token
            )
            #expect(handed.status == 200 && handed.json["role"]?.string == "admin")
            #expect(try await world.send(.delete, "\(place)/members/me", token: token).status == 204)
            #expect(try await world.send(.get, place, token: token).status == 404)
            let theirs = try await world.device(of: heir).token
            #expect(try await world.send(.get, place, token: theirs).json["role"]?.string == "owner")
        }
    }

    @Test func `item 54: whoever is removed loses the team's streams at once, on every replica`() async throws {
        try await withAPI(replicas: 2) { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            try await Self.join(guest, owner.team.id, .viewer, world)
            let job = try await world.job(of: owner).id
            let own = try await world.job(of: guest).id
            let token = try await world.device(of: guest).token
            let socket = try await JobSocket.opened(job, token, in: world)
            let events = try await Watcher(job, token: token, in: world, replica: 1)
            let elsewhere = try await JobSocket.opened(own, token, in: world)
            let bystander = try await JobSocket.opened(job, try await world.device(of: owner).token, in: world)
            let removed = try await world.send(
                .delete,
                "/v1/teams/\(owner.team.id)/members/\(guest.user.id)",
                token: try await world.device(of: owner).token
            )
            #expect(removed.status == 204)
            #expect(await socket.closes(with: 4403))
            #expect(await events.ends(within: .seconds(5)))
            #expect(events.text.contains(#""code":"not_member""#))
            #expect(elsewhere.channel.closed == nil && bystander.channel.closed == nil)
            #expect(try await world.send(.get, "/v1/jobs/\(job)", token: token).status == 404)
            for other in [elsewhere, bystander] { await other.leave() }
        }
    }

    @Test func `item 54: also when nobody told of it`() async throws {
        try await withAPI { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            try await Self.join(guest, owner.team.id, .viewer, world)
            let job = try await world.job(of: owner).id
            let socket = try await JobSocket.opened(job, try await world.device(of: guest).token, in: world)
            await world.replicas[0].endpoints.endStreamsOfDeparted()
            #expect(socket.channel.closed == nil)
            let audit = AuditDraft(at: world.time.now, team: nil, actor: .system, action: "member.removed")
            _ = try await world.store.teams.removeMember(
                guest.user.id,
                from: owner.team.id,
                scope: .system,
                audit: audit
            )
            await world.replicas[0].endpoints.endStreamsOfDeparted()
            #expect(await socket.closes(with: 4403))
        }
    }

    @Test func `a deleted team's jobs end, it comes back within a week, and is gone afterwards`() async throws {
        try await withAPI { world in
            let owner = try await world.person()
            let place = "/v1/teams/\(owner.team.id)"
            let job = try await world.job(of: owner)
            func token() async throws -> String { try await world.device(of: owner).token }
            let deleted = try await world.send(.delete, place, token: try await token())
            #expect(deleted.status == 202 && deleted.json["state"]?.string == "deleting")
            #expect(deleted.json["purge_at"]?.string != nil)
            let ended = try await world.send(.get, "/v1/jobs/\(job.id)", token: try await token())
            #expect(ended.json["state"]?.string == "cancelled")
            world.time.advance(by: .seconds(7 * 86_400 - 1))
            let endings = TeamEndings(world.replicas[0].services)
            try await endings.sweep()
            let back = try await world.send(.post, "\(place)/restore", token: try await token())
            #expect(back.status == 200 && back.json["state"]?.string == "active")
            #expect(back.json["deleted_at"] == .null)
            let project = Self.object(("name", "new"), ("team_id", owner.team.id.description))
            #expect(try await world.send(.post, "/v1/projects", project, token: try await token()).status == 201)
            #expect(try await world.send(.delete, place, token: try await token()).status == 202)
            world.time.advance(by: .seconds(7 * 86_400))
            try await endings.sweep()
            #expect(try await world.send(.get, place, token: try await token()).status == 404)
            #expect(try await world.send(.post, "\(place)/restore", token: try await token()).status == 404)
            #expect(try await world.send(.get, "/v1/jobs/\(job.id)", token: try await token()).status == 404)
            let chain = try await world.acts(of: .team(owner.team.id)).map(\.action)
            #expect(chain.suffix(4) == ["team.restored", "project.created", "team.deleted", "team.purged"])
        }
    }

    @Test func `a role in one project counts for what happens in it`() async throws {
        try await withAPI { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            try await Self.join(guest, owner.team.id, .viewer, world)
            let project = try await world.job(of: owner).projectID
            let second = try await world.job(of: owner).projectID
            let (mine, theirs) = (try await world.device(of: owner).token, try await world.device(of: guest).token)
            let member = "/v1/projects/\(project)/members/\(guest.user.id)"
            func submit(_ project: ProjectID) async throws -> Int {
                let body = JSONObject([
                    ("project_id", .string(project.description)), ("kind", .string("command")),
                    ("argv", .array([.string("true")])),
                ])
                return try await world.send(.post, "/v1/jobs", .object(body), token: theirs).status
            }
            #expect(try await submit(project) == 403)
            let raised = try await world.send(.put, member, Self.object(("role", "member")), token: mine)
            #expect(raised.status == 200)
            #expect(raised.json["role"]?.string == "member" && raised.json["team_role"]?.string == "viewer")
            #expect(try await submit(project) == 202)
            #expect(try await submit(second) == 403)
            let listed = try await world.send(.get, "/v1/projects/\(project)/members", token: theirs)
            #expect(listed.json["items"]?.array?.compactMap { $0["project_role"]?.string } == ["member"])
            let highest = try await world.send(.put, member, Self.object(("role", "owner")), token: mine)
            #expect(highest.status == 422)
            #expect(try await world.send(.delete, member, token: mine).status == 204)
            #expect(try await submit(project) == 403)
        }
    }
}
