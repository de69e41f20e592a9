package import Core
import HTTP
package import Platform
package import Transport

/// Asks identity providers through vetted addresses: one request, ten seconds, a quarter of a megabyte.
package final class ProviderConnector: ProviderTransport {
    /// What a request may cost in all: a person waits in front of a browser.
    static let patience = Duration.seconds(10)
    /// What connecting may take, with TLS.
    static let connectPatience = Duration.seconds(5)
    /// A hundred keys with certificates are a tenth of it.
    static let longestAnswer = 256 << 10
    /// Requests to all providers of one loop: slow ones hold a few connections and nothing else.
    static let concurrentRequests = 32
    /// Requests to one host, so that a provider that hangs leaves room for the others.
    static let concurrentPerHost = 8

    private let loop: EventLoop
    private let tls: TLSClientContext?
    private let patience: Duration
    private let lookup: VettedNames.Lookup
    private var active: [String: Int] = [:]

    /// Makes a connector of one loop; `tls` is whom providers are trusted by.
    package init(
        loop: EventLoop,
        tls: TLSClientContext?,
        patience: Duration = ProviderConnector.patience,
        lookup: @escaping VettedNames.Lookup = { try await NameResolver.resolve(host: $0, port: $1) }
    ) {
        self.loop = loop
        self.tls = tls
        self.patience = patience
        self.lookup = lookup
    }

    package func fault(of url: String, isInternal: Bool) -> String? {
        guard let parsed = ClientURL(url), ["http", "https"].contains(parsed.scheme) else {
            return "is no http or https URL without user name and fragment"
        }
        let kind = SocketAddress(host: parsed.host, port: parsed.port)?.specialKind
        let isThisMachine = parsed.host == "localhost" || kind == .loopback
        guard parsed.isSecure || isThisMachine else { return "must be https" }
        guard !isInternal else { return nil }
        guard !isThisMachine, kind == nil else {
            return "is not a public address (\((kind ?? .loopback).rawValue)): the provider is not marked as internal"
        }
        return nil
    }

    package func send(_ request: ProviderRequest) async throws(ProviderTransportError) -> ProviderAnswer {
        if let fault = fault(of: request.url, isInternal: request.isInternal) {
            throw .forbidden("\(request.url) \(fault)")
        }
        guard let url = ClientURL(request.url) else { throw .forbidden("\(request.url) is no URL") }
        let host = url.authority
        guard active[host, default: 0] < Self.concurrentPerHost,
            active.values.reduce(0, +) < Self.concurrentRequests
        else { throw .busy }
        active[host, default: 0] += 1
        let exchange = ProviderExchange(url, request, tls: tls, loop: loop, patience: patience, lookup: lookup)
        loop.spawnLocal { [self] in
            await exchange.run()
            active[host] = active[host].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
        // The whole has a limit of its own: a resolver that hangs, or a body that drips, is none of the client's.
        if exchange.outcome == nil { _ = await exchange.done.wait(timeout: patience, on: loop) }
        guard let outcome = exchange.outcome else {
            exchange.cut()
            throw .unreachable("\(host) does not answer within \(patience.components.seconds) s")
        }
        return try outcome.get()
    }
}

/// One request to a provider, which can be cut at any point.
private final class ProviderExchange {
    let done = LoopCondition()
    private(set) var outcome: Result<ProviderAnswer, ProviderTransportError>?
    private let url: ClientURL
    private let request: ProviderRequest
    private let names: NotedNames
    private let client: HTTPClient
    private var answer: ClientStreamingResponse?
    private var isCut = false

    init(
        _ url: ClientURL,
        _ request: ProviderRequest,
        tls: TLSClientContext?,
        loop: EventLoop,
        patience: Duration,
        lookup: @escaping VettedNames.Lookup
    ) {
        self.url = url
        self.request = request
        let names = NotedNames(VettedNames(request.isInternal ? .anywhere : .publicOnly, lookup: lookup))
        self.names = names
        var limits = ClientLimits()
        limits.connectTimeout = min(ProviderConnector.connectPatience, patience)
        (limits.responseTimeout, limits.idleTimeout) = (patience, patience)
        client = HTTPClient(loop: loop, tls: tls, limits: limits) { try await names.resolve($0, $1) }
    }

    func run() async {
        let result = await exchange()
        client.close()
        guard !isCut else { return }
        outcome = result
        done.signalAll()
    }

    /// Ends it wherever it is.
    func cut() {
        isCut = true
        answer?.close()
        client.cut()
    }

    private func exchange() async -> Result<ProviderAnswer, ProviderTransportError> {
        var headers = HTTPHeaders([("accept", "application/json"), ("accept-encoding", "identity")])
        if let authorization = request.authorization?.revealText() {
            headers.append(name: "authorization", value: authorization)
        }
        if request.form != nil { headers.append(name: "content-type", value: "application/x-www-form-urlencoded") }
        do throws(HTTPClientError) {
            let answer = try await client.stream(
                method: request.form == nil ? .get : .post,
                url: url,
                headers: headers,
                body: request.form.map { .bytes($0.reveal()) } ?? .empty
            )
            self.answer = answer
            guard !isCut else {
                answer.close()
                return .failure(.unreachable("it took too long"))
            }
            let body = try await answer.collect(limit: ProviderConnector.longestAnswer)
            let caching = answer.headers["cache-control"] ?? ""
            return .success(ProviderAnswer(status: answer.status, body: body, cacheControl: caching))
        } catch {
            if let forbidden = names.forbidden { return .failure(.forbidden(forbidden.description)) }
            switch error {
            case .bodyTooLarge: return .failure(.tooLong)
            // Without the addresses of an inner network.
            case .unreachable:
                return .failure(.unreachable("\(url.authority) has no address, or nothing answers there"))
            default: return .failure(.unreachable("\(url.authority): \(error)"))
            }
        }
    }
}
