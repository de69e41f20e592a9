package import Core
import Platform
import Transport

/// The rules for model URLs: which hosts the administrator has named, and what holds for all others.
package struct ModelHosts: Sendable {
    private let named: Set<String>

    /// Names hosts, each as `host` for every port or as `host:port`.
    package init(_ named: [String]) {
        self.named = Set(named.map { $0.lowercased() })
    }

    /// The place that a URL written by a person names: https to public addresses, unless the host is a named one.
    package func endpoint(
        _ provider: ModelProvider,
        baseURL: String?
    ) throws(ModelEndpointError) -> ModelEndpoint {
        let text = baseURL ?? ModelEndpoint.anthropicURL
        let url = try Self.parse(text)
        if isNamed(url) { return ModelEndpoint(provider: provider, baseURL: text, reach: .anywhere) }
        guard url.isSecure else {
            throw ModelEndpointError(
                "must be https, for the key travels in it; the administrator allows http by ERRAND_MODEL_HOSTS"
            )
        }
        if let kind = SocketAddress(host: url.host, port: url.port)?.specialKind {
            throw ModelEndpointError(
                "is not a public address (\(kind.rawValue)); the administrator allows it by ERRAND_MODEL_HOSTS"
            )
        }
        return ModelEndpoint(provider: provider, baseURL: text, reach: .publicOnly)
    }

    /// The place that the administrator's own setting names: this machine over http too, everything else over https.
    package func installation(_ baseURL: String) throws(ModelEndpointError) -> ModelEndpoint {
        let url = try Self.parse(baseURL)
        let isLocal = url.host == "localhost" || SocketAddress(host: url.host, port: 0)?.specialKind == .loopback
        guard url.isSecure || isLocal || isNamed(url) else {
            throw ModelEndpointError("must be https beyond this machine, or its host one of ERRAND_MODEL_HOSTS")
        }
        let provider: ModelProvider = baseURL == ModelEndpoint.anthropicURL ? .anthropic : .compatible
        return ModelEndpoint(provider: provider, baseURL: baseURL, reach: .anywhere)
    }

    private func isNamed(_ url: ClientURL) -> Bool {
        let host = url.host.hasSuffix(".") ? String(url.host.dropLast()) : url.host
        let shown = host.contains(":") ? "[\(host)]" : host
        return named.contains(shown) || named.contains("\(shown):\(url.port)")
    }

    static func parse(_ text: String) throws(ModelEndpointError) -> ClientURL {
        guard text.utf8.count <= ModelEndpoint.longestURL, let url = ClientURL(text),
            ["http", "https"].contains(url.scheme), !url.target.contains("?")
        else {
            throw ModelEndpointError("must be an http or https URL without user name, query or fragment")
        }
        return url
    }
}
