package import Core
import HTTP
import Platform
package import Transport

/// The model API that a broker speaks to, and the key that opens it.
package struct ModelUpstream: Sendable {
    let url: ClientURL
    let provider: ModelProvider
    let key: String
    let tls: TLSClientContext?
    /// Gives the addresses to dial, each time anew: a name that is led elsewhere later is refused then.
    let names: VettedNames

    /// Checks the place and the key.
    package init(
        _ endpoint: ModelEndpoint,
        key: String,
        tls: TLSClientContext?
    ) throws(ModelEndpointError) {
        try self.init(endpoint, key: key, tls: tls, names: VettedNames(endpoint.reach))
    }

    init(
        _ endpoint: ModelEndpoint,
        key: String,
        tls: TLSClientContext?,
        names: VettedNames
    ) throws(ModelEndpointError) {
        let parsed = try ModelHosts.parse(endpoint.baseURL)
        guard parsed.isSecure || endpoint.reach == .anywhere else {
            throw ModelEndpointError("the model URL must be https, for the key travels in it")
        }
        guard !parsed.isSecure || tls != nil else {
            throw ModelEndpointError("an https model URL needs certificate authorities to trust")
        }
        var probe = HTTPHeaders()
        guard !key.isEmpty, probe.append(name: "x-api-key", value: key) else {
            throw ModelEndpointError("the model key is empty or holds a control character")
        }
        url = parsed
        provider = endpoint.provider
        self.key = key
        self.tls = tls
        self.names = names
    }

    /// The address of a call; what the request says about hosts has no part in it.
    func url(for target: String) -> ClientURL? {
        let prefix = url.target.hasSuffix("/") ? String(url.target.dropLast()) : url.target
        return url.with(target: prefix + target)
    }

    /// The fields by which a request shows the key.
    func credentials() -> HTTPHeaders { Self.credentials(key, for: provider) }

    /// Gateways differ in the field that they read; the provider itself reads the first.
    static func credentials(_ key: String, for provider: ModelProvider) -> HTTPHeaders {
        var fields = HTTPHeaders()
        fields.append(name: "x-api-key", value: key)
        if provider == .compatible { fields.append(name: "authorization", value: "Bearer \(key)") }
        return fields
    }
}
