import Bytes
import Core
import HTTP
import TestSupport
import Testing

extension EndToEnd.Unharmed {
    @Test func `every route with an id is 404 for another team, and is there for its own`() async throws {
        let errand = try SharedInstallation.get()
        let owner = try await errand.member("owner@example.org")
        let stranger = try await errand.member("stranger@example.org")
        let project = try await owner.project()
        let job = try await owner.shell("echo mine", in: project)
        #expect(try await owner.finished(job).state == "succeeded")
        let team = try await owner.expect([200], .get, "/v1/projects/\(project)")["team_id"]?.string
        let devices = try await owner.expect([200], .get, "/v1/me/devices")["items"]?.array
        let device = try #require(devices?.first?["id"]?.string)
        let key = JSONObject([("provider", .string("anthropic")), ("key", .string("sk-of-this-team-alone"))])
        let path = "/v1/teams/\(try #require(team))/model-key?verify=false"
        try await owner.expect([200], .put, path, .object(key))
        let fellow = try await errand.member("fellow@example.org")
        let invites = "/v1/teams/\(try #require(team))/invites"
        let link = try await owner.expect([201], .post, invites, .object(JSONObject([])))["url"]
        try await fellow.expect(
            [200],
            .post,
            "/v1/invites/accept",
            .object(JSONObject([("token", try #require(link))]))
        )
        let member = try await fellow.expect([200], .get, "/v1/me")["id"]?.string
        let invite = try await owner.expect([201], .post, invites, .object(JSONObject([])))["id"]?.string
        let form = JSONObject([("name", .string("robot")), ("scopes", .array([.string("jobs:read")]))])
        let made = try await owner.expect([201], .post, "/v1/teams/\(try #require(team))/api-keys", .object(form))[
            "key"
        ]
        let account = try await owner.expect(
            [201],
            .post,
            "/v1/teams/\(try #require(team))/service-accounts",
            .object(JSONObject([("name", .string("deployer")), ("role", .string("viewer"))]))
        )["id"]?.string
        let program = JSONObject([
            ("name", .string("board")), ("redirect_uris", .array([.string("https://board.example.org/done")])),
            ("scopes", .array([.string("jobs:read")])),
        ])
        let client = try await owner.expect([201], .post, "/v1/teams/\(try #require(team))/clients", .object(program))
        let ids = [
            "clients": try #require(client["id"]?.string), "projects": project, "jobs": job,
            "teams": try #require(team), "devices": device,
            "members": try #require(member), "invites": try #require(invite),
            "api-keys": try #require(made?["id"]?.string), "service-accounts": try #require(account),
        ]
        let document = try await owner.expect([200], .get, "/openapi.json")
        let routes = try Self.routes(document, ids)
        #expect(routes.count >= 12)
        for (method, path) in routes {
            #expect(try await Self.ask(stranger, method, path) == 404, "\(method.rawValue) \(path)")
        }
        // Deleting comes last: what is in a project, the project, what is in the team, the team, the device that asks.
        func rank(_ route: (method: HTTPMethod, path: String)) -> Int {
            guard route.method == .delete else { return 0 }
            if route.path.hasPrefix("/v1/me/") { return 5 }
            let depth = route.path.split(separator: "/").count
            return (route.path.hasPrefix("/v1/projects/") ? 1 : 3) + (depth > 3 ? 0 : 1)
        }
        for (method, path) in routes.sorted(by: { rank($0) < rank($1) }) {
            let status = try await Self.ask(owner, method, path)
            #expect(status != 404 && status < 500, "\(method.rawValue) \(path): \(status)")
        }
    }

    @Test func `another team's project takes no job, and nothing of it is listed`() async throws {
        let errand = try SharedInstallation.get()
        let owner = try await errand.member("lister@example.org")
        let stranger = try await errand.member("outsider@example.org")
        let project = try await owner.project()
        let job = try await owner.shell("echo mine", in: project)
        #expect(try await owner.finished(job).state == "succeeded")
        let command = ErrandClient.command(["true"], in: project)
        #expect(try await stranger.send(.post, "/v1/jobs", command).status == 404)
        let prompt = JSONValue.object(JSONObject([("project_id", .string(project)), ("prompt", .string("hello"))]))
        #expect(try await stranger.send(.post, "/v1/claude/execute", prompt).status == 404)
        for (path, count) in [("/v1/jobs", 1), ("/v1/jobs?project_id=\(project)", 1), ("/v1/projects", 1)] {
            #expect(try await owner.expect([200], .get, path)["items"]?.array?.count == count, "\(path)")
            let seen = try await stranger.send(.get, path)
            #expect(seen.status == 404 || seen.json["items"]?.array?.isEmpty == true, "\(path): \(seen.text)")
        }
    }

    private static let personal = ["/v1/me/passkeys", "/v1/me/identities", "/v1/auth/oidc"]

    /// The routes of the document that have an id, with the owner's ids in them.
    private static func routes(
        _ document: JSONValue,
        _ ids: [String: String]
    ) throws -> [(method: HTTPMethod, path: String)] {
        var routes: [(method: HTTPMethod, path: String)] = []
        for (path, item) in try #require(document["paths"]?.object).members where path.contains("{") {
            // What is nobody's but the person's, and of no team, has suites of its own.
            if personal.contains(where: { path.hasPrefix($0) }) { continue }
            var filled: [Substring] = []
            for part in path.split(separator: "/") {
                let noun = String(filled.last { !$0.contains("_") } ?? "")
                filled.append(part.hasPrefix("{") ? try #require(ids[noun], "what is \(path)?")[...] : part)
            }
            for (name, _) in try #require(item.object).members {
                let methods: [String: HTTPMethod] = [
                    "get": .get, "put": .put, "post": .post, "patch": .patch, "delete": .delete,
                ]
                guard let method = methods[name] else { continue }
                routes.append((method, "/" + filled.joined(separator: "/")))
            }
        }
        return routes
    }

    /// The status of a well-formed request.
    private static func ask(_ client: ErrandClient, _ method: HTTPMethod, _ path: String) async throws -> Int {
        if path.hasSuffix("/stream") { return try await client.refusal(ofStream: path) ?? 101 }
        if path.hasSuffix("/workspace"), method == .put {
            let archive = PiecedBody([[UInt8](repeating: 0, count: 1_024)], on: client.loop)
            return try await client.send(method, path, type: "application/x-tar", archive).status
        }
        let body: JSONValue? = method == .patch ? .object(JSONObject([("name", .string("renamed"))])) : nil
        return try await client.send(method, path, body).status
    }
}
