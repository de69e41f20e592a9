import Bytes
import HTTP
package import Platform
import Transport

/// The only way from a sandbox to the model: a reverse proxy to one fixed host that adds the key.
package final class ModelBroker {
    /// The Messages API takes 32 MB.
    static let bodyLimit = 32 << 20
    /// The CLI asks for 27 counts at once; more than that is not an agent's ordinary work.
    static let concurrentRequests = 32
    /// Connections out of the sandbox: one for each request at once, and as many idle ones beside them; a program that
    /// opens more is no agent, and each costs the worker a descriptor and 24 KB.
    static let connections = 2 * concurrentRequests
    /// The CLI's own limit for the first byte; a model may think that long.
    private static let patience = Duration.seconds(600)

    /// Told why a request failed; holds neither bodies nor header fields.
    package var onFault: (_ description: String) -> Void = { _ in }
    /// What has passed so far.
    package private(set) var statistics = ModelBrokerStatistics()

    private let loop: EventLoop
    private let listener: ListeningSocket
    private let upstream: ModelUpstream
    private let route: ModelRoute
    private let client: HTTPClient
    private var answers: [ObjectIdentifier: ClientStreamingResponse] = [:]
    private var active = 0
    private var isClosed = false

    /// Makes a broker, on its loop, for the listener that came out of an attempt's sandbox.
    package init(loop: EventLoop, listener: ListeningSocket, token: String, upstream: ModelUpstream) {
        self.loop = loop
        self.listener = listener
        self.upstream = upstream
        route = ModelRoute(token: token, key: upstream.key, provider: upstream.provider)
        var limits = ClientLimits()
        limits.responseTimeout = Self.patience
        limits.idleTimeout = Self.patience
        client = HTTPClient(loop: loop, tls: upstream.tls, limits: limits) { [names = upstream.names] host, port in
            try await names.resolve(host: host, port: port)
        }
    }

    /// The address inside the sandbox.
    package var address: SocketAddress { listener.address }

    /// Serves until `close`, and returns when the last request has ended.
    package func run() async {
        var limits = ServerLimits()
        limits.maximumConnections = Self.connections
        let server = HTTPServer(
            loop: loop,
            listener: listener,
            tls: nil,
            limits: limits,
            connectionCounter: ConnectionCounter(limits: limits)
        ) { [self] request in await answer(request) }
        server.onFault = { [unowned self] description in onFault(description) }
        await server.run()
        client.cut()
        await server.drain(deadline: .zero)
    }

    /// Ends the route: nothing more is accepted, and requests and answers under way are cut.
    package func close() {
        isClosed = true
        listener.close()
        // A model that has not answered yet may take ten minutes: nobody is there to read it.
        client.cut()
        for answer in answers.values { answer.close() }
        answers = [:]
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        do throws(BrokerError) {
            if let refusal = refusal(of: request) {
                statistics.refusals += 1
                throw refusal
            }
            return try await pass(request)
        } catch {
            return error.response
        }
    }

    private func refusal(of request: HTTPRequest) -> BrokerError? {
        if isClosed { return BrokerError.ended }
        if let refusal = route.refusal(method: request.method, path: request.path, headers: request.headers) {
            return refusal
        }
        if let length = request.body.declaredLength, length > Self.bodyLimit { return BrokerError.tooLarge }
        guard active < Self.concurrentRequests else {
            return BrokerError(status: 429, message: "more than \(Self.concurrentRequests) requests at once")
        }
        return nil
    }

    private func refusal(of answer: ClientStreamingResponse) -> BrokerError? {
        if isClosed { return BrokerError.ended }
        guard (300..<400).contains(answer.status) else { return nil }
        return BrokerError(status: 502, message: "the model API answered with a redirect, which is not followed")
    }

    private func pass(_ request: HTTPRequest) async throws(BrokerError) -> HTTPResponse {
        guard let url = upstream.url(for: request.target) else {
            throw BrokerError(status: 400, message: "the query cannot be passed on")
        }
        active += 1
        statistics.requests += 1
        var uploaded = 0
        let answer: ClientStreamingResponse
        do throws(HTTPClientError) {
            answer = try await client.stream(
                method: .post,
                url: url,
                headers: route.outbound(request.headers),
                body: .stream(length: request.body.declaredLength) { [self] in
                    guard let piece = try await request.body.next() else { return nil }
                    uploaded += piece.count
                    guard uploaded <= Self.bodyLimit else { throw BrokerError.tooLarge }
                    statistics.bytesSent += Int64(piece.count)
                    return piece
                }
            )
        } catch {
            active -= 1
            throw failure(error)
        }
        if let refusal = refusal(of: answer) {
            active -= 1
            statistics.failures += 1
            answer.close()
            throw refusal
        }
        answers[ObjectIdentifier(answer)] = answer
        if answer.status == 204 {
            end(answer)
            return .noContent
        }
        return HTTPResponse(
            status: answer.status,
            headers: route.inbound(answer.headers),
            body: .stream(length: Self.length(of: answer)) { [self] writer in
                defer { end(answer) }
                try await download(answer, to: writer)
            }
        )
    }

    private func download(_ answer: ClientStreamingResponse, to writer: any ResponseBodyWriter) async throws {
        var meter = UsageMeter(contentType: answer.headers["content-type"])
        defer {
            meter.finish()
            statistics.inputTokens &+= meter.inputTokens
            statistics.outputTokens &+= meter.outputTokens
        }
        writer.onDisconnect = { answer.close() }
        while let piece = try await answer.next() {
            statistics.bytesReceived += Int64(piece.count)
            meter.take(piece)
            try await writer.write(piece)
        }
    }

    private func end(_ answer: ClientStreamingResponse) {
        active -= 1
        answers[ObjectIdentifier(answer)] = nil
        answer.close()
    }

    private func failure(_ error: HTTPClientError) -> BrokerError {
        if isClosed { return BrokerError.ended }
        if case .uploadFailed(let cause) = error {
            if let refusal = cause as? BrokerError { return refusal }
            // The agent's own doing: the model API has failed nobody.
            if let cause = cause as? BodyError { return BrokerError(cause) }
        }
        statistics.failures += 1
        onFault("model API: \(error)")
        if case .timeout = error { return BrokerError(status: 504, message: "the model API does not answer") }
        return BrokerError(status: 502, message: "the model API cannot be reached")
    }

    private static func length(of answer: ClientStreamingResponse) -> Int? {
        guard !answer.headers.contains("transfer-encoding") else { return nil }
        return answer.headers["content-length"].flatMap { Int($0) }
    }
}
