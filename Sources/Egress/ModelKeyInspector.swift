package import Core
import HTTP
package import Platform
package import Transport

/// Asks a provider about a key through vetted addresses: two requests at most, ten seconds, nothing that costs.
package final class ModelKeyInspector: ModelKeyCheck {
    /// A person waits for the answer.
    static let patience = Duration.seconds(10)
    /// Connections to places that people name, of one loop.
    static let concurrentChecks = 8

    private let loop: EventLoop
    private let tls: TLSClientContext?
    private let hosts: ModelHosts
    private let lookup: VettedNames.Lookup
    private let patience: Duration
    private var active = 0

    /// Makes an inspector of one loop; `tls` is whom https providers are trusted by.
    package init(
        loop: EventLoop,
        tls: TLSClientContext?,
        hosts: ModelHosts,
        patience: Duration = ModelKeyInspector.patience,
        lookup: @escaping VettedNames.Lookup = { try await NameResolver.resolve(host: $0, port: $1) }
    ) {
        self.loop = loop
        self.tls = tls
        self.hosts = hosts
        self.patience = patience
        self.lookup = lookup
    }

    package func endpoint(
        _ provider: ModelProvider,
        baseURL: String?
    ) throws(ModelEndpointError) -> ModelEndpoint {
        try hosts.endpoint(provider, baseURL: baseURL)
    }

    package func verify(_ endpoint: ModelEndpoint, key: ClearSecret) async -> ModelKeyVerdict {
        guard active < Self.concurrentChecks else { return .busy }
        let upstream: ModelUpstream
        do throws(ModelEndpointError) {
            upstream = try ModelUpstream(
                endpoint,
                key: key.revealText() ?? "",
                tls: tls,
                names: VettedNames(endpoint.reach, lookup: lookup)
            )
        } catch {
            return .forbidden(error.description)
        }
        active += 1
        let (done, names) = (LoopCondition(), NotedNames(upstream.names))
        var limits = ClientLimits()
        (limits.connectTimeout, limits.responseTimeout, limits.idleTimeout) = (patience, patience, patience)
        let client = HTTPClient(loop: loop, tls: tls, limits: limits) { try await names.resolve($0, $1) }
        var verdict: ModelKeyVerdict?
        loop.spawnLocal { [self] in
            verdict = await ask(upstream, client, names)
            client.close()
            active -= 1
            done.signalAll()
        }
        // The whole has a limit of its own: a resolver that hangs is none of the client's.
        if verdict == nil { _ = await done.wait(timeout: patience, on: loop) }
        return verdict ?? .unreachable("the provider does not answer within \(patience.components.seconds) s")
    }

    /// Lists the models, which every key may; a gateway without that list is asked to count a word.
    private func ask(_ upstream: ModelUpstream, _ client: HTTPClient, _ names: NotedNames) async -> ModelKeyVerdict {
        let listed = await status(of: .get, "/v1/models?limit=1", [], upstream, client, names)
        guard case .success(404) = listed.orMissing else { return judge(listed) }
        let body = #"{"model":"claude-3-5-haiku-latest","messages":[{"role":"user","content":"."}]}"#
        let counted = await status(
            of: .post,
            "/v1/messages/count_tokens",
            [UInt8](body.utf8),
            upstream,
            client,
            names
        )
        return judge(counted)
    }

    private func status(
        of method: HTTPMethod,
        _ target: String,
        _ body: [UInt8],
        _ upstream: ModelUpstream,
        _ client: HTTPClient,
        _ names: NotedNames
    ) async -> Result<Int, CheckFailure> {
        guard let url = upstream.url(for: target) else {
            return .failure(CheckFailure(verdict: .unclear("the URL takes no path behind it")))
        }
        var headers = upstream.credentials()
        headers.append(name: "anthropic-version", value: "2023-06-01")
        headers.append(name: "accept-encoding", value: "identity")
        if !body.isEmpty { headers.append(name: "content-type", value: "application/json") }
        do throws(HTTPClientError) {
            let answer = try await client.stream(
                method: method,
                url: url,
                headers: headers,
                body: body.isEmpty ? .empty : .bytes(body)
            )
            // The head says all; a body may be of any length.
            answer.close()
            return .success(answer.status)
        } catch {
            if let forbidden = names.forbidden {
                return .failure(CheckFailure(verdict: .forbidden(forbidden.description)))
            }
            return .failure(CheckFailure(verdict: .unreachable(Self.reason(error))))
        }
    }

    /// Why there was no answer, without the addresses of a named host's network.
    private static func reason(_ error: HTTPClientError) -> String {
        switch error {
        case .unreachable: "the provider's name has no address, or nothing answers there"
        default: error.description
        }
    }

    private func judge(_ result: Result<Int, CheckFailure>) -> ModelKeyVerdict {
        switch result {
        case .failure(let failure): failure.verdict
        // Over its limit is a key that counts.
        case .success(200...299), .success(429): .accepted
        case .success(let status) where status == 401 || status == 403: .refused(status: status)
        case .success(let status) where status >= 500: .unreachable("the provider answers \(status)")
        case .success(let status): .unclear("the provider answers \(status)")
        }
    }
}

/// A check that got no status.
private struct CheckFailure: Error {
    let verdict: ModelKeyVerdict
}

extension Result where Success == Int {
    /// The same with every way to say "not here" as 404.
    fileprivate var orMissing: Self {
        if case .success(405) = self { return .success(404) }
        return self
    }
}
