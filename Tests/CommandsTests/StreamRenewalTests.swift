import Bytes
import Core
import Crypto
import HTTP
import Log
import Platform
import Testing

@testable import Commands

struct StreamRenewalTests {
    private static let attempt = AttemptID(job: JobEventTests.job, attempt: 1)
    private static let socket = WebSocketLimits()

    private static let opening = LogEvent.state(
        of: attempt.job,
        attempt: 1,
        at: JobEventTests.time,
        encodedJob: Array(#"{"kind":"command","state":"running"}"#.utf8)
    )

    private static let completed: [UInt8] = {
        let bytes = Array("line 1\nline 2\n".utf8)
        let sha = Hex.encode(Digest.sha256(bytes))
        return Array(
            (#"{"type":"job:completed","attempt":1,"state":"failed","exit_code":7,"records":2,"#
                + #""bytes":\#(bytes.count),"sha256":"\#(sha)"}"#).utf8
        )
    }()

    private static func record(_ number: UInt64) -> [UInt8] {
        LogEvent.output(JobEventTests.record(number, .stdout, "line \(number)\n"), of: attempt)
    }

    private static func stream(_ handler: @escaping (any WebSocketChannel) async throws -> Void) -> HTTPResponse {
        HTTPResponse(status: 101, body: .webSocket(subprotocol: nil, limits: socket) { try? await handler($0) })
    }

    private static func follow(
        _ server: ScriptedServer,
        _ form: JobViewer.Form,
        _ clock: ManualTime
    ) async throws -> Int32 {
        let client = try await server.client(clock: clock)
        let viewer = JobViewer(job: attempt.job, form: form, style: client.style)
        return try await JobFollow(
            attempt.job,
            viewer,
            client: client,
            renewalInterval: .milliseconds(2)
        ).run()
    }

    @Test(arguments: [JobViewer.Form.readable, .events])
    func `a token is renewed and presented before it ends, on the same stream and without losing a record`(
        _ form: JobViewer.Form
    ) async throws {
        let said = Lock<[WebSocketMessage]>([])
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { request, _ in
            if request.path == "/v1/auth/refresh" { return .json(200, ScriptedServer.tokens("second").encoded()) }
            return Self.stream { channel in
                try await channel.send(text: Self.opening)
                try await channel.send(text: Self.record(1))
                guard let message = try await channel.receive() else { return }
                said.withLock { $0.append(message) }
                try await channel.send(text: Array(#"{"type":"auth_ok","expires_in":600}"#.utf8))
                try await channel.send(text: Self.record(2))
                try await channel.send(text: Self.completed)
            }
        }
        try await ScriptedServer.run(script) { server in
            let clock = ManualTime(WallClock.now())
            server.loop.spawnLocal {
                while !server.shown.text(1).contains("line 1") { await server.loop.sleep(.milliseconds(1)) }
                // Of its 600 seconds 25 are left, less than a client wants to have in hand.
                clock.advance(by: .seconds(575))
            }
            let code = try await Self.follow(server, form, clock)
            #expect(code == 7)
            #expect(said.withLock { $0 } == [.text(#"{"type":"auth","access_token":"second"}"#)])
            #expect(server.requests.map(\.path) == ["/v1/jobs/\(JobEventTests.job)/stream", "/v1/auth/refresh"])
            let shown = server.shown.text(1)
            if case .readable = form { #expect(shown == "line 1\nline 2\n") }
            #expect(shown.contains("line 2") && !shown.contains("auth_ok"))
        }
    }

    @Test func `a token with enough time left is neither renewed nor sent again`() async throws {
        let said = Lock(0)
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { _, _ in
            Self.stream { channel in
                try await channel.send(text: Self.opening)
                try await channel.send(text: Self.record(1))
                channel.onMessage = { _ in said.withLock { $0 += 1 } }
                // Ten times the interval at which the client looks.
                await EventLoop.current?.sleep(.milliseconds(20))
                try await channel.send(text: Self.record(2))
                try await channel.send(text: Self.completed)
            }
        }
        try await ScriptedServer.run(script) { server in
            let code = try await Self.follow(server, .readable, ManualTime(WallClock.now()))
            #expect(code == 7)
            #expect(server.requests.count == 1)
            #expect(said.withLock { $0 } == 0)
        }
    }

    @Test func `a stream that is ended for its token is taken up where it was, with a new one`() async throws {
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { request, count in
            if request.path == "/v1/auth/refresh" { return .json(200, ScriptedServer.tokens("second").encoded()) }
            if count == 1 {
                return Self.stream { channel in
                    try await channel.send(text: Self.opening)
                    try await channel.send(text: Self.record(1))
                    await channel.close(code: 4401, reason: "the access token has expired")
                }
            }
            guard request.headers["authorization"] == "Bearer second" else {
                return .problem(Problem(status: 401, code: "token_expired", title: "Expired"))
            }
            return Self.stream { channel in
                try await channel.send(text: Self.opening)
                try await channel.send(text: Self.record(2))
                try await channel.send(text: Self.completed)
            }
        }
        try await ScriptedServer.run(script) { server in
            let code = try await Self.follow(server, .readable, ManualTime(WallClock.now()))
            #expect(code == 7)
            #expect(server.shown.text(1) == "line 1\nline 2\n")
            #expect(server.shown.text(2).contains("the server wants a new token"))
            #expect(server.requests.last?.queryValue("after") == "1.1")
            #expect(server.requests.last?.headers["authorization"] == "Bearer second")
        }
    }

    @Test func `a stream that is ended with its sign-in says so`() async throws {
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { request, count in
            guard count == 1 else { return .problem(Problem(status: 401, code: "refresh_refused", title: "Refused")) }
            return Self.stream { channel in
                try await channel.send(text: Self.opening)
                await channel.close(code: 4401, reason: "the sign-in was revoked")
            }
        }
        try await ScriptedServer.run(script) { server in
            let failure = await #expect(throws: CommandFailure.self) {
                _ = try await Self.follow(server, .readable, ManualTime(WallClock.now()))
            }
            #expect(failure?.exitCode == ExitCode.refused)
            #expect(failure?.description == "the sign-in has ended: run `errand login`")
        }
    }
}
