/// What a provider said of a key.
package enum ModelKeyVerdict: Sendable, Equatable {
    /// It serves requests that show the key.
    case accepted
    /// It refuses the key, with this status.
    case refused(status: Int)
    /// It answers, and the answer does not tell whether the key is good.
    case unclear(String)
    /// The URL leads where it may not.
    case forbidden(String)
    /// It cannot be reached, or not in time.
    case unreachable(String)
    /// Too many keys are being asked about.
    case busy
}

/// Checks of model URLs and keys before they are kept; loop-confined.
package protocol ModelKeyCheck: AnyObject {
    /// The place that a URL names, judged by the rules as they are now; without a URL the provider's own.
    func endpoint(_ provider: ModelProvider, baseURL: String?) throws(ModelEndpointError) -> ModelEndpoint
    /// Asks the provider whether it takes a key, at no cost and in bounded time.
    func verify(_ endpoint: ModelEndpoint, key: ClearSecret) async -> ModelKeyVerdict
}
