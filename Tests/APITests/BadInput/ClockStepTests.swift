import API
import Auth
import Bytes
import Core
import HTTP
import Store
import Testing

/// A server's clock that is set forward or back while people are signed in.
@Suite(.timeLimit(.minutes(5))) struct ClockStepTests {
    private static func refresh(_ token: String, in world: APIWorld) async throws -> APIAnswer {
        let body = JSONValue.object(JSONObject([("refresh_token", .string(token))]))
        return try await world.send(.post, "/v1/auth/refresh", body)
    }

    private static func login(_ person: APIPerson, _ password: String, in world: APIWorld) async throws -> APIAnswer {
        let form = JSONObject([("email", .string(person.user.email)), ("password", .string(password))])
        return try await world.send(.post, "/v1/auth/login", .object(form))
    }

    @Test(arguments: [(899, 200, nil), (900, 401, "token_expired"), (86_400, 401, "token_expired")])
    func `forward, tokens end on time, and a refresh gives one that holds`(
        seconds: Int,
        status: Int,
        code: String?
    ) async throws {
        try await withAPI(replicas: 2) { world in
            let pair = try await world.signIn(try await world.person())
            #expect(try await world.send(.get, "/v1/me", token: pair.access).status == 200)
            world.time.advance(by: .seconds(seconds))
            // One remembers the token, the other has never seen it.
            for replica in 0...1 {
                let answer = try await world.send(.get, "/v1/me", token: pair.access, replica: replica)
                #expect(answer.status == status && answer.code == code, "replica \(replica): \(answer.text)")
            }
            let fresh = try APITokens(try await Self.refresh(pair.refresh, in: world))
            #expect(try await world.send(.get, "/v1/me", token: fresh.access).status == 200)
        }
    }

    @Test(arguments: [(30, 200, nil), (31, 401, "unauthenticated"), (86_400, 401, "unauthenticated")])
    func `back, tokens from the future are refused everywhere alike, and a refresh gives one that holds`(
        seconds: Int,
        status: Int,
        code: String?
    ) async throws {
        try await withAPI(replicas: 2) { world in
            let person = try await world.person()
            let pair = try await world.signIn(person)
            #expect(try await world.send(.get, "/v1/me", token: pair.access).status == 200)
            world.time.advance(by: .seconds(-seconds))
            for replica in 0...1 {
                let answer = try await world.send(.get, "/v1/me", token: pair.access, replica: replica)
                #expect(answer.status == status && answer.code == code, "replica \(replica): \(answer.text)")
            }
            let fresh = try APITokens(try await Self.refresh(pair.refresh, in: world))
            #expect(try await world.send(.get, "/v1/me", token: fresh.access).status == 200)
            #expect(try await world.signIn(person).refresh != fresh.refresh)
        }
    }

    @Test func `back, a replaced refresh token still has one successor, and an older one still ends the sign-in`()
        async throws
    {
        try await withAPI { world in
            let first = try await world.signIn(try await world.person())
            let second = try APITokens(try await Self.refresh(first.refresh, in: world))
            world.time.advance(by: .seconds(-3_600))
            #expect(try APITokens(try await Self.refresh(first.refresh, in: world)).refresh == second.refresh)
            let third = try APITokens(try await Self.refresh(second.refresh, in: world))
            let stolen = try await Self.refresh(first.refresh, in: world)
            #expect(stolen.status == 401 && stolen.code == "refresh_refused")
            #expect(try await Self.refresh(third.refresh, in: world).code == "refresh_refused")
            #expect(try await world.send(.get, "/v1/me", token: third.access).code == "unauthenticated")
        }
    }

    @Test func `back, whoever mistyped waits no longer than the back-off, and is told so`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            world.time.advance(by: .seconds(86_400))
            for _ in 0..<5 {
                #expect(try await Self.login(person, "wrong horse battery", in: world).code == "wrong_credentials")
            }
            world.time.advance(by: .seconds(-86_400))
            let refused = try await Self.login(person, APIWorld.password, in: world)
            #expect(refused.status == 429 && refused.code == "sign_in_throttled")
            #expect(refused.headers["retry-after"] == "1")
            world.time.advance(by: .seconds(1))
            #expect(try await Self.login(person, APIWorld.password, in: world).status == 200)
        }
    }

    @Test func `back, a ticket still opens one stream`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let job = try await world.job(of: person).id
            let made = try await world.send(
                .post,
                "/v1/stream-tickets",
                token: try await world.device(of: person).token
            )
            let offer = ("sec-websocket-protocol", try #require(made.json["subprotocol"]?.string))
            world.time.advance(by: .seconds(-3_600))
            let opened = await JobSocket(job, [offer], in: world)
            #expect(opened.status == 101)
            let again = await JobSocket(job, [offer], in: world)
            #expect(again.status == 401 && again.code == "ticket_refused")
            await opened.leave()
        }
    }

    @Test(arguments: [-86_400, 86_400]) func `either way, the audit log goes on in order and verifies`(
        seconds: Int
    ) async throws {
        try await withAPI { world in
            let person = try await world.person()
            func act() async throws {
                let body = JSONValue.object(JSONObject([("name", .string(world.unique("project")))]))
                let token = try await world.device(of: person).token
                #expect(try await world.send(.post, "/v1/projects", body, token: token).status == 201)
            }
            try await act()
            world.time.advance(by: .seconds(seconds))
            try await act()
            world.time.advance(by: .seconds(-seconds))
            try await act()
            let chain = AuditChain.team(person.team.id)
            var verifier = try AuditChainVerifier(chain)
            let entries = try await world.store.audit.stored(chain, after: .start, limit: 100)
            #expect(entries.count == 3)
            for entry in entries { try verifier.add(entry) }
        }
    }
}
