import HTTP
import Platform
package import Transport

/// The model API that a broker speaks to, and the key that opens it.
package struct ModelUpstream: Sendable {
    /// Where requests go when nothing else is configured.
    package static let defaultURL = "https://api.anthropic.com"

    let url: ClientURL
    let key: String
    let tls: TLSClientContext?

    /// Checks the address and the key; plain HTTP is for a stand-in on this machine only.
    package init(url: String = defaultURL, key: String, tls: TLSClientContext?) throws(ModelUpstreamError) {
        guard let parsed = ClientURL(url), ["http", "https"].contains(parsed.scheme), !parsed.target.contains("?")
        else {
            throw ModelUpstreamError("the model URL is not an http or https URL without a query")
        }
        guard parsed.isSecure || Self.isLoopback(parsed.host) else {
            throw ModelUpstreamError("a model URL beyond this machine must be https, for the key travels in it")
        }
        guard !parsed.isSecure || tls != nil else {
            throw ModelUpstreamError("an https model URL needs certificate authorities to trust")
        }
        var probe = HTTPHeaders()
        guard !key.isEmpty, probe.append(name: "x-api-key", value: key) else {
            throw ModelUpstreamError("the model key is empty or holds a control character")
        }
        self.url = parsed
        self.key = key
        self.tls = tls
    }

    /// The address of a call; what the request says about hosts has no part in it.
    func url(for target: String) -> ClientURL? {
        let prefix = url.target.hasSuffix("/") ? String(url.target.dropLast()) : url.target
        return url.with(target: prefix + target)
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" { return true }
        switch SocketAddress(host: host, port: 0) {
        case .ipv4(let bytes, _)?: return bytes.first == 127
        case .ipv6?: return host == "::1"
        default: return false
        }
    }
}

/// Why a model API cannot be used as configured.
package struct ModelUpstreamError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, for the operator; never the key.
    package let description: String

    init(_ description: String) { self.description = description }
}
