import Auth
import Bytes
import Core
import HTTP
import Testing

@testable import API

@Suite struct CodeGrantTests {
    @Test func `a client acts for the person in its team and its scopes, and reaches no account`() async throws {
        try await withAPI(replicas: 2) { world in
            let stage = try await OAuthStage(world)
            let job = try await world.job(of: stage.person)
            let other = try await world.person()
            try await world.join(stage.person, other.team, .member)
            let elsewhere = try await world.job(of: other)
            let code = try await stage.consent()["code"]
            let answer = try await stage.exchange(code)
            #expect(answer.json["scope"]?.string == "jobs:read" && answer.json["device_token"] == nil)
            let token = try #require(answer.json["access_token"]?.string)
            #expect(try await world.send(.get, "/v1/jobs/\(job.id)", token: token).status == 200)
            #expect(try await world.send(.get, "/v1/jobs/\(job.id)", token: token, replica: 1).status == 200)
            #expect(try await world.send(.get, "/v1/jobs/\(elsewhere.id)", token: token).status == 404)
            let teams = try await world.send(.get, "/v1/teams", token: token).json["items"]?.array
            #expect(teams?.compactMap { $0["id"]?.string } == [stage.person.team.id.description])
            #expect(try await world.send(.get, "/v1/projects", token: token).code == "scope_missing")
            #expect(try await world.send(.post, "/v1/jobs/\(job.id)/cancel", token: token).code == "scope_missing")
            for row in Endpoints.table where row.access == .person {
                let path = row.pattern.replacing("{id}", with: "x")
                let refused = try await world.send(row.method, path, token: token)
                #expect(refused.status == 403 && refused.code == "person_required", "\(row.pattern)")
            }
            for path in ["clients", "api-keys", "invites", "service-accounts"] {
                let refused = try await world.send(.get, "/v1/teams/\(stage.person.team.id)/\(path)", token: token)
                #expect(refused.code == "person_required", "\(path)")
            }
            // The browser's session is none of the API's.
            #expect(try await stage.browser.get("/v1/me").status == 401)
        }
    }

    @Test func `item 40: a code is used once; its second use ends what the first got`() async throws {
        try await withAPI(replicas: 2) { world in
            let stage = try await OAuthStage(world)
            let code = try await stage.consent()["code"]
            let first = try await stage.exchange(code)
            let token = try #require(first.json["access_token"]?.string)
            #expect(try await world.send(.get, "/v1/jobs", token: token).status == 200)
            #expect(try await stage.exchange(code).oauthError == "invalid_grant")
            for replica in 0..<2 {
                #expect(try await world.send(.get, "/v1/jobs", token: token, replica: replica).status == 401)
            }
            let refresh = try #require(first.json["refresh_token"]?.string)
            #expect(try await stage.refresh(refresh).oauthError == "invalid_grant")
            #expect(try await world.acts().contains { $0.action == "code.reuse_detected" })
        }
    }

    @Test func `items 39 and 40: a code is bound to its client, its address, its verifier and sixty seconds`()
        async throws
    {
        try await withAPI { world in
            let stage = try await OAuthStage(world)
            let other = try await OAuthStage(world)
            let code = try await stage.consent()["code"]
            let verifiers = [
                "", String(OAuthStage.verifier.dropLast()), OAuthStage.challenge, String(repeating: "a", count: 129),
            ]
            for verifier in verifiers {
                #expect(try await stage.exchange(code, verifier: verifier).oauthError == "invalid_grant")
            }
            #expect(try await stage.exchange(code, redirect: "http://127.0.0.1/back").oauthError == "invalid_grant")
            #expect(try await other.exchange(code).oauthError == "invalid_grant")
            #expect(try await stage.exchange("eac_x").oauthError == "invalid_grant")
            #expect(try await stage.exchange(code, client: "app_x").oauthError == "invalid_client")
            // None of these has used it up.
            #expect(try await stage.exchange(code).status == 200)
            let late = try await stage.consent()["code"]
            world.time.advance(by: .seconds(60))
            #expect(try await stage.exchange(late).oauthError == "invalid_grant")
        }
    }

    @Test func `item 22: a refresh narrows, never widens, and belongs to its client and to no other route`()
        async throws
    {
        try await withAPI { world in
            let stage = try await OAuthStage(world)
            let tokens = try await stage.tokens(["scope": "jobs:read projects:read"])
            #expect(try await stage.refresh(tokens.refresh, scope: "jobs:read jobs:run").oauthError == "invalid_scope")
            #expect(try await stage.refresh(tokens.refresh, scope: "all").oauthError == "invalid_scope")
            let narrow = try await stage.refresh(tokens.refresh, scope: "jobs:read")
            let access = try #require(narrow.json["access_token"]?.string)
            #expect(narrow.json["scope"]?.string == "jobs:read")
            #expect(try await world.send(.get, "/v1/jobs", token: access).status == 200)
            #expect(try await world.send(.get, "/v1/projects", token: access).code == "scope_missing")
            let next = try #require(narrow.json["refresh_token"]?.string)
            let whole = try await stage.refresh(next)
            #expect(whole.json["scope"]?.string == "jobs:read projects:read")
            // Brought where no client proves itself, it is taken for stolen.
            let last = try #require(whole.json["refresh_token"]?.string)
            let form = JSONValue.form(["refresh_token": last, "client_id": stage.id])
            #expect(try await world.send(.post, "/v1/auth/refresh", form).status == 401)
            #expect(try await stage.refresh(last).oauthError == "invalid_grant")
        }
    }

    @Test func `a confidential client proves itself, by header or form, and its old secret ends at once`() async throws
    {
        try await withAPI { world in
            let stage = try await OAuthStage(world, isConfidential: true)
            let secret = try #require(stage.secret)
            let code = try await stage.consent()["code"]
            let wrong = OpaqueToken.make(.clientSecret).token
            let refused = try await stage.exchange(code, secret: wrong)
            #expect(refused.status == 401 && refused.oauthError == "invalid_client")
            #expect(try await stage.exchange(code, secret: "").oauthError == "invalid_client")
            let basic = "Basic " + Base64.encode(Array("\(stage.id):\(secret)".utf8))
            let pairs = [
                ("grant_type", "authorization_code"), ("code", code ?? ""), ("redirect_uri", OAuthStage.redirect),
                ("code_verifier", OAuthStage.verifier),
            ]
            let both = pairs + [("client_secret", secret)]
            let header = [("authorization", basic)]
            #expect(try await stage.post("/oauth/token", both, headers: header).oauthError == "invalid_client")
            #expect(try await stage.post("/oauth/token", pairs, headers: header).status == 200)
            let token = try await world.device(of: stage.person).token
            let path = "/v1/teams/\(stage.person.team.id)/clients/\(stage.id)/rotate-secret"
            let rotated = try await world.send(.post, path, token: token)
            let new = try #require(rotated.json["secret"]?.string)
            let second = try await stage.consent()["code"]
            #expect(try await stage.exchange(second, secret: secret).oauthError == "invalid_client")
            #expect(try await stage.exchange(second, secret: new).status == 200)
        }
    }

    @Test func `the person, the client, the team and the password each end what a client may do`() async throws {
        try await withAPI(replicas: 2) { world in
            func isRefused(_ token: String) async throws -> Bool {
                for replica in 0..<2 {
                    guard try await world.send(.get, "/v1/jobs", token: token, replica: replica).status == 401 else {
                        return false
                    }
                }
                return true
            }
            let byPerson = try await OAuthStage(world)
            let mine = try await byPerson.tokens().access
            let here = try await world.device(of: byPerson.person).token
            let devices = try await world.send(.get, "/v1/me/devices", token: here).json["items"]?.array ?? []
            let app = try #require(devices.first { $0["client_id"]?.string == byPerson.id })
            #expect(app["name"]?.string == "Dashboard" && app["scopes"]?.array?.first?.string == "jobs:read")
            let path = "/v1/me/devices/\(app["id"]?.string ?? "")"
            #expect(try await world.send(.delete, path, token: here).status == 204)
            #expect(try await isRefused(mine))

            let byClient = try await OAuthStage(world)
            let theirs = try await byClient.tokens()
            let revoke = [("token", theirs.refresh), ("client_id", byClient.id)]
            #expect(
                try await byPerson.post("/oauth/revoke", [("token", theirs.refresh), ("client_id", byPerson.id)]).status
                    == 200
            )
            #expect(try await !isRefused(theirs.access))
            #expect(try await byClient.post("/oauth/revoke", revoke).status == 200)
            #expect(try await isRefused(theirs.access))

            let byTeam = try await OAuthStage(world)
            let ours = try await byTeam.tokens()
            let owner = try await world.device(of: byTeam.person).token
            let client = "/v1/teams/\(byTeam.person.team.id)/clients/\(byTeam.id)"
            #expect(try await world.send(.delete, client, token: owner).status == 204)
            #expect(try await isRefused(ours.access))
            #expect(try await byTeam.refresh(ours.refresh).oauthError == "invalid_client")

            let byPassword = try await OAuthStage(world)
            let old = try await byPassword.tokens().access
            let waiting = try await byPassword.consent()["code"]
            let form = JSONValue.form(["current_password": APIWorld.password, "new_password": "tall ships at anchor"])
            let token = try await world.device(of: byPassword.person).token
            #expect(try await world.send(.post, "/v1/me/password", form, token: token).status == 204)
            #expect(try await isRefused(old))
            #expect(try await byPassword.exchange(waiting).oauthError == "invalid_grant")
        }
    }

    @Test func `the metadata names every endpoint, and only what is spoken`() async throws {
        try await withAPI { world in
            let json = try await world.send(.get, "/.well-known/oauth-authorization-server").json
            #expect(json["issuer"]?.string == APIWorld.publicURL)
            let paths = Set(Endpoints.table.map(\.pattern))
            for name in [
                "authorization_endpoint", "token_endpoint", "revocation_endpoint", "device_authorization_endpoint",
                "jwks_uri",
            ] {
                let url = try #require(json[name]?.string)
                #expect(
                    url.hasPrefix(APIWorld.publicURL) && paths.contains(String(url.dropFirst(APIWorld.publicURL.count)))
                )
            }
            #expect(json["code_challenge_methods_supported"] == .strings(["S256"]))
        }
    }

    @Test func `a client is registered with whole addresses and scopes, freshly, and up to the team's limit`()
        async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            let device = try await world.device(of: person)
            let path = "/v1/teams/\(person.team.id)/clients"
            func create(_ uris: [String], _ scopes: [String] = ["jobs:read"]) async throws -> APIAnswer {
                let form = JSONValue.members([
                    "name": .string("a"), "redirect_uris": .strings(uris), "scopes": .strings(scopes),
                ])
                return try await world.send(.post, path, form, token: device.token)
            }
            #expect(try await create(["https://app.test/"]).status == 201)
            for uris in [[], ["http://app.test/"], ["https://app.test/#a"], ["https://a.test/", "https://a.test/"]] {
                #expect(try await create(uris).status == 422, "\(uris)")
            }
            #expect(try await create(["https://app.test/"], ["everything"]).status == 422)
            world.time.advance(by: .seconds(600))
            let stale = try await create(["https://app.test/"])
            #expect(stale.code == "reauthentication_required" || stale.code == "token_expired")
        }
    }
}
