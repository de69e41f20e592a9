import Auth
package import Core
package import Platform

/// Whether a provider can be used, before anybody signs in by it.
package enum ProviderCheck {
    /// What is wrong with a provider's description or keys, as a sentence; nil when nothing is.
    package static func fault(
        of provider: OpenIDProvider,
        by transport: any ProviderTransport,
        on loop: EventLoop
    ) async -> String? {
        do throws(ProviderFailure) {
            let keys = try await ProviderDirectory(transport, loop: loop).keys(of: provider).keys
            return keys.isEmpty ? "its key set has no key for RS256, PS256, ES256 or EdDSA" : nil
        } catch {
            switch error {
            case .unavailable(let text), .faulty(let text): return text
            }
        }
    }
}
