import Bytes
import Core
import HTTP
import Platform
import Testing

@testable import Commands

struct ClientSessionTests {
    private static func ok(_ json: JSONValue = .object(JSONObject())) -> HTTPResponse { .json(200, json.encoded()) }

    private static func refused(_ code: String = "token_expired") -> HTTPResponse {
        .problem(Problem(status: 401, code: code, title: "Refused"))
    }

    /// Accepts the token `second` only, which a refresh gives.
    @Sendable private static func renewing(_ request: HTTPRequest, _: Int) -> HTTPResponse {
        if request.path == "/v1/auth/refresh" { return ok(ScriptedServer.tokens("second")) }
        return request.headers["authorization"] == "Bearer second" ? ok() : refused()
    }

    @Test func `a refused token is renewed once, and kept`() async throws {
        try await ScriptedServer.run(Self.renewing) { server in
            _ = try await server.client().session.get("/v1/me")
            #expect(server.requests.map(\.path) == ["/v1/me", "/v1/auth/refresh", "/v1/me"])
            #expect(try await CredentialFile(server.environment).load()?.refreshToken == "refresh-second")
            _ = try await server.client().session.get("/v1/me")
            #expect(server.requests.count == 4)
        }
    }

    @Test func `a token near its end is renewed before it is used`() async throws {
        try await ScriptedServer.run(expiresIn: 10, Self.renewing) { server in
            _ = try await server.client().session.get("/v1/me")
            #expect(server.tokens(for: "/v1/me") == ["Bearer second"])
        }
    }

    @Test func `of many clients one renews for all`() async throws {
        try await ScriptedServer.run(expiresIn: 0, Self.renewing) { server in
            let done = LoopCondition()
            var running = 6
            for _ in 0..<6 {
                let client = try await server.client()
                server.loop.spawnLocal {
                    do { _ = try await client.session.get("/v1/me") } catch { Issue.record(error) }
                    running -= 1
                    done.signalAll()
                }
            }
            while running > 0 { await done.wait() }
            #expect(server.requests.count { $0.path == "/v1/auth/refresh" } == 1)
            #expect(server.tokens(for: "/v1/me") == Array(repeating: "Bearer second", count: 6))
        }
    }

    @Test func `a sign-in that has ended says so`() async throws {
        try await ScriptedServer.run({ _, _ in Self.refused("refresh_refused") }) { server in
            let session = try await server.client().session
            let failure = await #expect(throws: CommandFailure.self) { _ = try await session.get("/v1/me") }
            #expect(failure?.exitCode == ExitCode.refused)
            #expect(failure?.description == "the sign-in has ended: run `errand login`")
        }
    }

    @Test func `a lost answer to a submit is asked for again under the same key`() async throws {
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { _, count in
            switch count {
            case 1: Self.ok()
            // The connection breaks in the middle of the answer.
            case 2: HTTPResponse(status: 202, body: .stream(length: 100) { _ in throw DisconnectedError("cut") })
            case 3: .problem(Problem(status: 503, code: "overloaded", title: "Busy", retryAfter: 0))
            default: Self.ok(.string("stored"))
            }
        }
        try await ScriptedServer.run(script) { server in
            let client = try await server.client()
            _ = try await client.session.get("/v1/me")
            let answer = try await client.session.post(
                "/v1/jobs",
                .null,
                headers: [("idempotency-key", "k")],
                repeats: .safe
            )
            #expect(answer == .string("stored"))
            #expect(
                server.requests.filter { $0.path == "/v1/jobs" }.map { $0.headers["idempotency-key"] } == [
                    "k", "k", "k",
                ]
            )
            await client.output.flush()
            #expect(server.shown.text(2).contains("trying again"))
        }
    }

    @Test func `what may not be repeated is not`() async throws {
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { _, _ in
            .problem(Problem(status: 503, code: "overloaded", title: "Busy", retryAfter: 0))
        }
        try await ScriptedServer.run(script) { server in
            let session = try await server.client().session
            let failure = await #expect(throws: CommandFailure.self) { _ = try await session.post("/v1/projects") }
            #expect(failure?.exitCode == ExitCode.unavailable)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `tokens do not go to another server than the one that gave them`() async throws {
        try await ScriptedServer.run({ _, _ in Self.ok() }) { server in
            let elsewhere = ClientEnvironment([
                "ERRAND_CONFIG_HOME": server.environment["ERRAND_CONFIG_HOME"] ?? "",
                "ERRAND_URL": "http://127.0.0.1:1",
            ])
            let failure = await #expect(throws: CommandFailure.self) {
                _ = try await Client.open(on: server.loop, elsewhere)
            }
            #expect(failure?.exitCode == ExitCode.refused)
            #expect(server.requests.isEmpty)
        }
    }

    @Test func `a token from outside is used as it is`() async throws {
        try await ScriptedServer.run({ _, _ in Self.refused() }) { server in
            let outside = ClientEnvironment(["ERRAND_URL": server.url, "ERRAND_TOKEN": "given"])
            let session = try await Client.open(on: server.loop, outside).session
            await #expect(throws: CommandFailure.self) { _ = try await session.get("/v1/me") }
            #expect(server.tokens(for: "/v1/me") == ["Bearer given"])
        }
    }

    @Test func `a project is found by its name on any page, and must be the only one`() async throws {
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { request, _ in
            let isFirst = request.queryValue("cursor") == nil
            let rows = isFirst ? [("p1", "web"), ("p2", "twin")] : [("p3", "late"), ("p4", "twin")]
            let items = rows.map { JSONValue.object(JSONObject([("id", .string($0.0)), ("name", .string($0.1))])) }
            return Self.ok(
                .object(JSONObject([("items", .array(items)), ("next_cursor", isFirst ? .string("c") : .null)]))
            )
        }
        try await ScriptedServer.run(script) { server in
            let client = try await server.client()
            #expect(try await client.project("late").id == "p3")
            let missing = await #expect(throws: CommandFailure.self) { _ = try await client.project("none") }
            #expect(missing?.exitCode == ExitCode.notFound)
            let twins = await #expect(throws: CommandFailure.self) { _ = try await client.project("twin") }
            #expect(twins?.exitCode == ExitCode.usage)
            await #expect(throws: CommandFailure.self) { _ = try await client.project(nil) }
            try await client.session.remember(RememberedProject(id: "p2", name: "twin"))
            #expect(try await server.client().project(nil).id == "p2")
        }
    }
}
