import Bytes
import Core
import Crypto
import HTTP
import Log
import Platform
import Testing

@testable import Commands

struct JobFollowTests {
    private static let attempt = AttemptID(job: JobEventTests.job, attempt: 1)
    private static let lines = (1...20).map { "line \($0)\n" }

    private static let opening: [[UInt8]] = [
        LogEvent.state(
            of: attempt.job,
            attempt: 1,
            at: JobEventTests.time,
            encodedJob: Array(#"{"kind":"command","state":"running"}"#.utf8)
        )
    ]

    private static let completed: [UInt8] = {
        let bytes = Array(lines.joined().utf8)
        let sha = Hex.encode(Digest.sha256(bytes))
        return Array(
            (#"{"type":"job:completed","attempt":1,"state":"failed","exit_code":7,"records":\#(lines.count),"#
                + #""bytes":\#(bytes.count),"sha256":"\#(sha)"}"#).utf8
        )
    }()

    /// Serves the log after the position asked for, three records a connection.
    @Sendable private static func threeAtATime(_ request: HTTPRequest, _ count: Int) -> HTTPResponse {
        if count % 3 == 0 { return .problem(Problem(status: 503, code: "overloaded", title: "Busy")) }
        let after = LogPosition(request.queryValue("after") ?? "")?.seq ?? 0
        return HTTPResponse(
            status: 101,
            body: .webSocket(subprotocol: nil, limits: WebSocketLimits()) { channel in
                for event in opening { try? await channel.send(text: event) }
                let last = min(after + 3, UInt64(lines.count))
                for seq in (after + 1)..<(last + 1) {
                    let record = JobEventTests.record(seq, .stdout, lines[Int(seq) - 1])
                    try? await channel.send(text: LogEvent.output(record, of: attempt))
                }
                if last == lines.count { try? await channel.send(text: completed) }
                await channel.close(code: 1013, reason: "again")
            }
        )
    }

    private static func follow(_ server: ScriptedServer, stopsWhenQuiet: Bool = false) async throws -> Int32 {
        let client = try await server.client()
        let viewer = JobViewer(job: attempt.job, form: .readable, style: client.style)
        return try await JobFollow(attempt.job, viewer, client: client, stopsWhenQuiet: stopsWhenQuiet).run()
    }

    @Test func `a stream that is cut again and again arrives whole`() async throws {
        try await ScriptedServer.run(Self.threeAtATime) { server in
            let code = try await Self.follow(server)
            #expect(code == 7)
            #expect(server.shown.text(1) == Self.lines.joined())
            #expect(!server.shown.text(2).contains("WARNING"))
            #expect(server.requests.allSatisfy { $0.path == "/v1/jobs/\(JobEventTests.job)/stream" })
        }
    }

    @Test func `a job that does not exist is not asked for again`() async throws {
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { _, _ in .problem(.notFound) }
        try await ScriptedServer.run(script) { server in
            let failure = await #expect(throws: CommandFailure.self) { _ = try await Self.follow(server) }
            #expect(failure?.exitCode == ExitCode.notFound)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a token that expired meanwhile is renewed on the way`() async throws {
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { request, _ in
            if request.path == "/v1/auth/refresh" { return .json(200, ScriptedServer.tokens("second").encoded()) }
            guard request.headers["authorization"] == "Bearer second" else {
                return .problem(Problem(status: 401, code: "token_expired", title: "Expired"))
            }
            return HTTPResponse(
                status: 101,
                body: .webSocket(subprotocol: nil, limits: WebSocketLimits()) { channel in
                    for event in Self.opening { try? await channel.send(text: event) }
                    try? await channel.send(
                        text: Array(#"{"type":"job:completed","attempt":1,"state":"cancelled"}"#.utf8)
                    )
                }
            )
        }
        try await ScriptedServer.run(script) { server in
            let code = try await Self.follow(server)
            #expect(code == 130)
            #expect(server.requests.count == 3)
        }
    }

    @Test func `a server that always leaves something out is given up`() async throws {
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { _, _ in
            HTTPResponse(
                status: 101,
                body: .webSocket(subprotocol: nil, limits: WebSocketLimits()) { channel in
                    let record = JobEventTests.record(2, .stdout, "second")
                    try? await channel.send(text: LogEvent.output(record, of: Self.attempt))
                }
            )
        }
        try await ScriptedServer.run(script) { server in
            let failure = await #expect(throws: CommandFailure.self) { _ = try await Self.follow(server) }
            #expect(failure?.exitCode == ExitCode.unavailable)
            #expect(server.shown.text(1).isEmpty)
        }
    }

    @Test func `a log that is not followed ends when nothing more comes`() async throws {
        let script: @Sendable (HTTPRequest, Int) -> HTTPResponse = { _, _ in
            HTTPResponse(
                status: 101,
                body: .webSocket(subprotocol: nil, limits: WebSocketLimits()) { channel in
                    for event in Self.opening { try? await channel.send(text: event) }
                    _ = try? await channel.receive()
                }
            )
        }
        try await ScriptedServer.run(script) { server in
            let code = try await Self.follow(server, stopsWhenQuiet: true)
            #expect(code == 0)
            #expect(server.requests.count == 1)
        }
    }
}
