package import Core

/// A check of model keys that says what a test wants, and remembers what it was asked.
package final class ScriptedModelCheck: ModelKeyCheck {
    /// What the provider will say.
    package var verdict = ModelKeyVerdict.accepted
    /// Hosts that are refused, as if they led to an inner network.
    package var refused: Set<String> = []
    /// Where keys were sent, with their last four characters.
    package private(set) var asked: [String] = []

    /// A check of a provider that takes every key.
    package init() {}

    package func endpoint(
        _ provider: ModelProvider,
        baseURL: String?
    ) throws(ModelEndpointError) -> ModelEndpoint {
        let url = baseURL ?? ModelEndpoint.anthropicURL
        guard url.hasPrefix("https://"), !refused.contains(String(url.dropFirst("https://".count))) else {
            throw ModelEndpointError("must be https to a public address")
        }
        return ModelEndpoint(provider: provider, baseURL: url, reach: .publicOnly)
    }

    package func verify(_ endpoint: ModelEndpoint, key: ClearSecret) async -> ModelKeyVerdict {
        asked.append("\(endpoint.baseURL) …\(key.revealText()?.suffix(4) ?? "")")
        return verdict
    }
}
