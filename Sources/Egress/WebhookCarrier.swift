package import Core
import HTTP
package import Platform
package import Transport

/// Posts letters to the one place that the administrator named: within ten seconds, through vetted addresses, and
/// wherever that place would send us on to, we do not go.
package final class WebhookCarrier: LetterCarrier {
    /// The whole of it, from the name's address to the status.
    package static let patience = Duration.seconds(10)

    private let url: ClientURL
    private let reach: ModelReach
    private let loop: EventLoop
    private let tls: TLSClientContext?
    private let patience: Duration
    private let lookup: VettedNames.Lookup

    /// Posts to an endpoint that `ModelHosts.webhook` has judged.
    package init(
        _ endpoint: ModelEndpoint,
        loop: EventLoop,
        tls: TLSClientContext?,
        patience: Duration = WebhookCarrier.patience,
        lookup: @escaping VettedNames.Lookup = { try await NameResolver.resolve(host: $0, port: $1) }
    ) throws(ModelEndpointError) {
        url = try ModelHosts.parse(endpoint.baseURL)
        reach = endpoint.reach
        self.loop = loop
        self.tls = tls
        self.patience = patience
        self.lookup = lookup
    }

    package func carry(_ letter: OutgoingLetter) async -> Carriage {
        var limits = ClientLimits()
        (limits.connectTimeout, limits.responseTimeout, limits.idleTimeout) = (patience, patience, patience)
        let names = VettedNames(reach, lookup: lookup)
        let client = HTTPClient(loop: loop, tls: tls, limits: limits) { try await names.resolve(host: $0, port: $1) }
        let done = LoopCondition()
        var result: Carriage?
        loop.spawnLocal { [url] in
            result = await Self.post(letter, to: url, client)
            client.close()
            done.signalAll()
        }
        // The whole has a limit of its own: a resolver that hangs is none of the client's.
        if result == nil { _ = await done.wait(timeout: patience, on: loop) }
        return result ?? .failed("no answer within \(patience.components.seconds) s")
    }

    private static func post(_ letter: OutgoingLetter, to url: ClientURL, _ client: HTTPClient) async -> Carriage {
        do throws(HTTPClientError) {
            let answer = try await client.stream(
                method: .post,
                url: url,
                headers: HTTPHeaders(letter.fields.map { ($0.name, $0.value) }),
                body: .bytes(letter.bytes)
            )
            // The status says all; a body may be of any length.
            answer.close()
            switch answer.status {
            case 200...299: return .taken("HTTP \(answer.status)")
            // Gone: the receiver wants no more of them.
            case 410: return .refused("HTTP 410")
            default: return .failed("HTTP \(answer.status)")
            }
        } catch {
            return .failed(error.description)
        }
    }
}

extension ModelHosts {
    /// The place of a webhook: this machine over http too, else as a person's model URL is judged.
    package func webhook(_ url: String) throws(ModelEndpointError) -> ModelEndpoint {
        let parsed = try Self.parse(url)
        let isLocal = parsed.host == "localhost" || SocketAddress(host: parsed.host, port: 0)?.specialKind == .loopback
        guard isLocal else { return try endpoint(.compatible, baseURL: url) }
        return ModelEndpoint(provider: .compatible, baseURL: url, reach: .anywhere)
    }
}
