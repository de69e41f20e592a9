import Bytes
import HTTP
import Platform
import Testing
import Transport

@testable import Egress

@Suite struct ModelBrokerStreamTests {
    @Test func `an answer of any bytes passes identically`() async throws {
        let pieces = (0..<200).map { number in
            (0..<(number * 37 % 9_000 + 1)).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ number) }
        }
        try await BrokerFixture.run(respond: { _ in
            HTTPResponse(
                status: 200,
                headers: HTTPHeaders([("content-type", "text/event-stream")]),
                body: .stream(length: nil) { writer in for piece in pieces { try await writer.write(piece) } }
            )
        }) { fixture in
            let answer = try await fixture.post()
            #expect(answer.body == pieces.flatMap { $0 })
            #expect(fixture.broker.statistics.bytesReceived == Int64(answer.body.count))
        }
    }

    // In both tests one side goes on only when the other has seen the piece before: a buffer would wait for ever.
    @Test func `a request is not held back`() async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        try await BrokerFixture.run(respond: { request in
            var body: [UInt8] = []
            while let piece = try? await request.body.next() {
                body += piece
                arrived.yield()
            }
            return HTTPResponse(status: 200, body: .bytes(body))
        }) { fixture in
            var arrival = arrivals.makeAsyncIterator()
            var sent: UInt8 = 0
            let answer = try await fixture.client.stream(
                method: .post,
                url: fixture.url(),
                headers: BrokerFixture.headers,
                body: .stream(length: nil) {
                    if sent > 0 { _ = await arrival.next(isolation: #isolation) }
                    sent += 1
                    return sent <= 3 ? [sent] : nil
                }
            )
            let body = try await answer.collect(limit: 100)
            #expect(body == [1, 2, 3])
        }
    }

    @Test func `an answer is not held back`() async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        try await BrokerFixture.run(respond: { _ in
            HTTPResponse(
                status: 200,
                body: .stream(length: nil) { writer in
                    var arrival = arrivals.makeAsyncIterator()
                    for piece in UInt8(1)...3 {
                        try await writer.write([piece])
                        _ = await arrival.next(isolation: #isolation)
                    }
                }
            )
        }) { fixture in
            let answer = try await fixture.client.stream(
                method: .post,
                url: fixture.url(),
                headers: BrokerFixture.headers,
                body: .bytes([1])
            )
            var body: [UInt8] = []
            while let piece = try await answer.next() {
                body += piece
                arrived.yield()
            }
            #expect(body == [1, 2, 3])
        }
    }

    @Test func `tokens are counted as they pass`() async throws {
        let events =
            "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":11,\"output_tokens\":1}}}\n\n"
            + "event: message_delta\ndata: {\"usage\":{\"output_tokens\":5}}\n\n"
        try await BrokerFixture.run(respond: { _ in
            HTTPResponse(
                status: 200,
                headers: HTTPHeaders([("content-type", "text/event-stream")]),
                body: .bytes([UInt8](events.utf8))
            )
        }) { fixture in
            for _ in 0..<3 { _ = try await fixture.post() }
            #expect(fixture.broker.statistics.inputTokens == 33)
            #expect(fixture.broker.statistics.outputTokens == 15)
        }
    }

    @Test func `an answer that breaks off breaks off for the agent too`() async throws {
        try await BrokerFixture.run(respond: { _ in
            HTTPResponse(
                status: 200,
                body: .stream(length: nil) { writer in
                    try await writer.write([1, 2, 3])
                    throw DisconnectedError("on purpose")
                }
            )
        }) { fixture in
            await #expect(throws: HTTPClientError.self) { try await fixture.post() }
        }
    }

    @Test func `a body over 32 MB is refused, by its length or as it grows`() async throws {
        try await BrokerFixture.run(respond: { request in
            while let piece = try? await request.body.next(), !piece.isEmpty {}
            return HTTPResponse(status: 200)
        }) { fixture in
            let declared = try await fixture.exchange(
                "POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: attempt-token\r\n"
                    + "Connection: close\r\nContent-Length: 33554433\r\n\r\n"
            )
            #expect(declared.hasPrefix("HTTP/1.1 413"))
            #expect(declared.contains("request_too_large"))
            var left = 33
            let grown = try await fixture.client.stream(
                method: .post,
                url: fixture.url(),
                headers: BrokerFixture.headers,
                body: .stream(length: nil) {
                    left -= 1
                    return left < 0 ? nil : [UInt8](repeating: 0x20, count: 1 << 20)
                }
            )
            #expect(grown.status == 413)
            let fits = try await fixture.post("/v1/messages", [UInt8](repeating: 0x20, count: 32 << 20))
            #expect(fits.status == 200)
        }
    }

    @Test func `more requests at once than an agent makes are turned away, and places come free again`() async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        try await BrokerFixture.run(respond: { request in
            arrived.yield()
            _ = try? await request.body.collect(limit: 100)
            return .json(200, [])
        }) { fixture in
            let changed = LoopCondition()
            var isReleased = false
            var statuses: [Int] = []
            for _ in 0..<ModelBroker.concurrentRequests {
                fixture.loop.spawnLocal {
                    // A body that does not end keeps its place.
                    let body = ClientBody.stream(length: nil) {
                        while !isReleased { await changed.wait() }
                        return nil
                    }
                    let answer = try? await fixture.client.stream(
                        method: .post,
                        url: try fixture.url(),
                        headers: BrokerFixture.headers,
                        body: body
                    )
                    _ = try? await answer?.collect(limit: 100)
                    statuses.append(answer?.status ?? 0)
                    changed.signalAll()
                }
            }
            var arrival = arrivals.makeAsyncIterator()
            for _ in 0..<ModelBroker.concurrentRequests { await arrival.next(isolation: #isolation) }
            let refused = try await fixture.post()
            #expect(refused.status == 429)
            #expect(refused.headers["retry-after"] == "1")
            isReleased = true
            changed.signalAll()
            while statuses.count < ModelBroker.concurrentRequests { await changed.wait() }
            #expect(statuses.allSatisfy { $0 == 200 })
            let accepted = try await fixture.post()
            #expect(accepted.status == 200)
        }
    }

    @Test func `closing cuts what is under way`() async throws {
        try await BrokerFixture.run(respond: { _ in
            HTTPResponse(
                status: 200,
                body: .stream(length: nil) { writer in
                    try await writer.write([1])
                    let gone = LoopCondition()
                    writer.onDisconnect = { gone.signalAll() }
                    if writer.isOpen { await gone.wait() }
                }
            )
        }) { fixture in
            let answer = try await fixture.client.stream(
                method: .post,
                url: fixture.url(),
                headers: BrokerFixture.headers,
                body: .bytes([1])
            )
            #expect(try await answer.next() == [1])
            fixture.broker.close()
            await #expect(throws: HTTPClientError.self) { try await answer.next() }
        }
    }

    @Test func `closing cuts a request that is still on its way up`() async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let (departures, departed) = AsyncStream.makeStream(of: Int.self)
        let gone = Lock(0)
        try await BrokerFixture.run(respond: { request in
            var count = 0
            while let piece = try? await request.body.next() {
                count += piece.count
                arrived.yield()
            }
            gone.withLock { $0 += 1 }
            departed.yield(count)
            return HTTPResponse(status: 200)
        }) { fixture in
            let stream = try await StreamConnector.connect(
                to: [fixture.broker.address],
                host: "127.0.0.1",
                tls: nil,
                on: fixture.loop,
                timeout: .seconds(5)
            )
            let head = "POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: attempt-token\r\nContent-Length: 2\r\n\r\n1"
            try await stream.write([UInt8](head.utf8))
            var arrival = arrivals.makeAsyncIterator()
            await arrival.next(isolation: #isolation)
            // The control: while the attempt lives, the request waits for its second byte.
            #expect(gone.withLock { $0 } == 0)
            fixture.broker.close()
            var departure = departures.makeAsyncIterator()
            #expect(await departure.next(isolation: #isolation) == 1)
            let rest = try? await stream.read(max: 100)
            #expect(rest?.isEmpty != false)
            stream.close()
            #expect(fixture.faults.isEmpty)
        }
    }

    @Test func `closing ends the route at once while a model thinks about its first byte`() async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let (thoughts, thought) = AsyncStream.makeStream(of: Void.self)
        try await BrokerFixture.run(respond: { request in
            _ = try? await request.body.collect(limit: 100)
            arrived.yield()
            for await _ in thoughts { break }
            return HTTPResponse(status: 200)
        }) { fixture in
            var outcome: Result<Int, any Error>?
            let changed = LoopCondition()
            fixture.loop.spawnLocal {
                do { outcome = .success(try await fixture.post().status) } catch { outcome = .failure(error) }
                changed.signalAll()
            }
            var arrival = arrivals.makeAsyncIterator()
            await arrival.next(isolation: #isolation)
            // The control: while the attempt lives, the request waits.
            #expect(outcome == nil && !fixture.hasEnded)
            fixture.broker.close()
            await fixture.waitForEnd()
            while outcome == nil { await changed.wait() }
            #expect(throws: HTTPClientError.self) { try outcome?.get() }
            #expect(fixture.faults.isEmpty)
            thought.finish()
        }
    }
}
