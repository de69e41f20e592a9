import HTTP
import Platform
import Testing

@testable import Transport

@Suite struct `The pace of request bodies` {
    /// Sends pieces of a size at intervals until the patience is gone, and tells when that was.
    private func life(of pace: inout BodyPace, piece: Int, every interval: Duration, atMost end: Duration) -> Duration {
        var clock = Duration.zero
        while pace.patience > .zero, clock < end {
            clock += interval
            pace.note(piece, after: interval)
        }
        return clock
    }

    @Test(arguments: [(1, 10), (100, 11), (512, 20), (1_000, 427)])
    func `a body slower than a kilobyte a second lives no longer than its grace and what it sent`(
        _ bytesPerSecond: Int,
        _ seconds: Int
    ) {
        var pace = BodyPace(ServerLimits())
        let life = life(of: &pace, piece: bytesPerSecond, every: .seconds(1), atMost: .seconds(3_600))
        #expect(life == .seconds(seconds) || life == .seconds(seconds + 1))
    }

    @Test(arguments: [1_024, 1_100, 100_000]) func `a slow but acceptable body goes on`(_ bytesPerSecond: Int) {
        var pace = BodyPace(ServerLimits())
        let life = life(of: &pace, piece: bytesPerSecond, every: .seconds(1), atMost: .seconds(3_600))
        #expect(life == .seconds(3_600))
    }

    @Test func `what came fast buys one long pause and no trickle`() {
        let limits = ServerLimits()
        var pace = BodyPace(limits)
        pace.note(1 << 30, after: .seconds(1))
        #expect(pace.patience == limits.bodyIdleTimeout)
        #expect(life(of: &pace, piece: 1, every: .seconds(1), atMost: .seconds(3_600)) <= .seconds(31))
    }

    @Test(arguments: Security.allCases) func `a trickled body is answered with 408`(_ security: Security) async throws {
        var limits = ServerLimits()
        limits.bodyGrace = .milliseconds(60)
        try await ServerFixture.run(security, limits: limits, respond: `Requests and responses`.echo) { fixture in
            let stream = try await fixture.connect()
            try await stream.write("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            fixture.loop.spawnLocal {
                while (try? await stream.write("x")) != nil { await EventLoop.current?.sleep(.milliseconds(5)) }
            }
            let answer = try await stream.read(until: "body_timeout")
            #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("connection: close"))
            #expect(answer.contains("application/problem+json"))
            stream.close()
        }
    }

    @Test(arguments: Security.allCases) func `a body above the rate is taken, though slower than its grace`(
        _ security: Security
    ) async throws {
        var limits = ServerLimits()
        limits.bodyGrace = .milliseconds(60)
        // Each piece earns 160 ms, and comes after a twentieth of that.
        limits.bodyRate = 100_000
        try await ServerFixture.run(security, limits: limits, respond: `Requests and responses`.echo) { fixture in
            var pieces = 30
            let answer = try await fixture.client.stream(
                method: .put,
                url: fixture.url("/"),
                body: .stream(length: 30 * 16_000) {
                    await fixture.loop.sleep(.milliseconds(8))
                    pieces -= 1
                    return pieces >= 0 ? [UInt8](repeating: 65, count: 16_000) : nil
                }
            )
            #expect(answer.status == 200)
            #expect(try await answer.collect(limit: 1 << 20).count == 30 * 16_000)
        }
    }

    @Test func `a handler that is slow to read costs its client nothing`() async throws {
        var limits = ServerLimits()
        limits.bodyGrace = .milliseconds(60)
        try await ServerFixture.run(
            .plain,
            limits: limits,
            respond: { request in
                var count = 0
                do throws(BodyError) {
                    while let piece = try await request.body.next() {
                        count += piece.count
                        await EventLoop.current?.sleep(.milliseconds(10))
                    }
                    return .json(200, Array("\(count)".utf8))
                } catch {
                    return .problem(Problem(error))
                }
            }
        ) { fixture in
            let answer = try await fixture.client.send(
                method: .put,
                url: fixture.url("/"),
                body: [UInt8](repeating: 65, count: 200_000)
            )
            #expect(answer.status == 200 && answer.body == Array("200000".utf8))
        }
    }
}
