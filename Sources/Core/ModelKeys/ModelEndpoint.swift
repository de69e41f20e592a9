/// Whose API a model key opens.
package enum ModelProvider: String, Sendable, CaseIterable {
    /// Anthropic's own API.
    case anthropic
    /// A gateway that speaks the same protocol.
    case compatible
}

/// Which addresses a model URL may lead to.
package enum ModelReach: String, Sendable {
    /// Public ones over TLS: a person chose the URL.
    case publicOnly = "public"
    /// Any, also over plain HTTP: the administrator named the host.
    case anywhere
}

/// Where a model is reached, and how far its URL is trusted.
package struct ModelEndpoint: Sendable, Equatable {
    /// Anthropic's API.
    package static let anthropicURL = "https://api.anthropic.com"
    /// Longer ones are no addresses of an API.
    package static let longestURL = 2_048

    package var provider: ModelProvider
    /// Without a path or with a prefix, never with a query.
    package var baseURL: String
    package var reach: ModelReach

    /// Describes a model's place.
    package init(provider: ModelProvider, baseURL: String, reach: ModelReach) {
        self.provider = provider
        self.baseURL = baseURL
        self.reach = reach
    }
}

/// Why a model URL cannot be used, as a sentence for whoever wrote it.
package struct ModelEndpointError: Error, Equatable, CustomStringConvertible {
    package let description: String

    /// Says what is wrong.
    package init(_ description: String) { self.description = description }
}
