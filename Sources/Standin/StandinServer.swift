import Bytes
import HTTP
package import Platform
import Transport

/// The model stand-in as a server of the Messages API on one listener.
package final class StandinServer {
    /// A quiet stream shows life this often; clients give up after 300 s without a byte.
    private static let pingInterval = Duration.seconds(10)
    /// How often a waiting answer looks whether its client is still there.
    private static let glance = Duration.milliseconds(250)
    /// Longer than any client waits for a stalled answer.
    private static let longestStall = Duration.seconds(900)

    /// Told of each request that was let in.
    package var onRequest: (_ path: String, _ body: [UInt8]) -> Void = { _, _ in }

    private let loop: EventLoop
    private let expectedKey: String?
    private let listener: ListeningSocket
    private var server: HTTPServer?
    private var isClosing = false

    /// Makes a server, on its loop; with `expectedKey` it answers only who shows that key.
    package init(loop: EventLoop, listener: ListeningSocket, expectedKey: String? = nil) {
        self.loop = loop
        self.listener = listener
        self.expectedKey = expectedKey
    }

    /// The address to which agents are sent.
    package var address: SocketAddress { listener.address }

    /// Serves until `close`.
    package func run() async {
        let server = HTTPServer(
            loop: loop,
            listener: listener,
            tls: nil,
            connectionCounter: ConnectionCounter(limits: ServerLimits())
        ) { [unowned self] request in await answer(request) }
        self.server = server
        await server.run()
        await server.drain(deadline: .seconds(1))
        self.server = nil
    }

    /// Stops serving; answers under way are cut after a second.
    package func close() {
        isClosing = true
        listener.close()
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        do throws(StandinError) {
            guard isAuthentic(request.headers) else { throw StandinError(status: 401, message: "invalid x-api-key") }
            let path = request.path
            guard path == "/v1/messages" || path == "/v1/messages/count_tokens" else {
                throw StandinError(status: 404, message: "the stand-in serves /v1/messages only")
            }
            guard request.method == .post else { throw StandinError(status: 405, message: "only POST is served") }
            let body = try await collect(request.body)
            onRequest(request.target, body)
            if path == "/v1/messages/count_tokens" { return .json(200, try StandinScript.count(body)) }
            return try await respond(StandinScript.reply(to: body), requestID: request.requestID)
        } catch {
            return response(.json(error.status, error.encoded(requestID: request.requestID)), request.requestID)
        }
    }

    private func isAuthentic(_ headers: HTTPHeaders) -> Bool {
        guard let expectedKey else { return true }
        return headers["x-api-key"] == expectedKey || headers["authorization"] == "Bearer \(expectedKey)"
    }

    private func collect(_ body: any RequestBody) async throws(StandinError) -> [UInt8] {
        do throws(BodyError) {
            return try await body.collect(limit: StandinScript.bodyLimit)
        } catch .tooLarge {
            throw StandinError(status: 413, message: "the body is larger than 32 MB")
        } catch {
            throw StandinError(status: 400, message: "the body is incomplete")
        }
    }

    private func respond(_ reply: StandinReply, requestID: String) async throws(StandinError) -> HTTPResponse {
        if case .error(let status, let message) = reply.ending {
            _ = await pause(reply.wait) { true }
            throw StandinError(status: status, message: message)
        }
        let encoder = MessageEncoder(reply: reply, nonce: UInt64.random(in: 0...UInt64.max))
        guard reply.isStreamed else {
            _ = await pause(reply.ending == .stall ? Self.longestStall : reply.wait) { true }
            return response(.json(200, encoder.document()), requestID)
        }
        var streamed = HTTPResponse(
            status: 200,
            body: .stream(length: nil) { [unowned self] writer in try await stream(encoder, to: writer) }
        )
        streamed.headers.append(name: "content-type", value: "text/event-stream; charset=utf-8")
        streamed.headers.append(name: "cache-control", value: "no-cache")
        return response(streamed, requestID)
    }

    private func stream(_ encoder: MessageEncoder, to writer: any ResponseBodyWriter) async throws {
        let reply = encoder.reply
        try await writer.write(encoder.opening())
        var remaining = reply.wait
        while remaining > .zero {
            let part = min(remaining, Self.pingInterval)
            guard await pause(part, while: { writer.isOpen }) else { throw DisconnectedError("nobody waits any more") }
            remaining -= part
            try await writer.write(encoder.ping())
        }
        if reply.ending == .stall {
            _ = await pause(Self.longestStall) { writer.isOpen }
            throw DisconnectedError("the answer was told to stall")
        }
        for index in reply.blocks.indices {
            let events = encoder.block(at: index)
            // A cut answer ends after its first words: the block's start and one delta.
            let isCut = reply.ending == .cut && index == reply.blocks.indices.last
            for event in isCut ? events.prefix(2) : events[...] { try await writer.write(event) }
        }
        if reply.ending == .cut { throw DisconnectedError("the answer was told to be cut") }
        for event in encoder.closing() { try await writer.write(event) }
    }

    /// Waits; false as soon as nobody needs to wait any more.
    private func pause(_ duration: Duration, while isNeeded: () -> Bool) async -> Bool {
        let end = loop.now.advanced(by: duration)
        while loop.now < end {
            guard !isClosing, isNeeded() else { return false }
            await loop.sleep(min(Self.glance, end - loop.now))
        }
        return true
    }

    private func response(_ response: HTTPResponse, _ requestID: String) -> HTTPResponse {
        var response = response
        response.headers.append(name: "request-id", value: requestID)
        return response
    }
}
