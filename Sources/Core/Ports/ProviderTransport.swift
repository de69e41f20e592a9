/// A request to a provider.
package struct ProviderRequest: Sendable {
    package var url: String
    /// Whether the administrator allows addresses that are not public.
    package var isInternal: Bool
    /// A form to post; nil to get.
    package var form: ClearSecret?
    /// The value of the Authorization field.
    package var authorization: ClearSecret?

    /// Describes a request.
    package init(
        url: String,
        isInternal: Bool,
        form: ClearSecret? = nil,
        authorization: ClearSecret? = nil
    ) {
        self.url = url
        self.isInternal = isInternal
        self.form = form
        self.authorization = authorization
    }
}

/// A provider's whole answer.
package struct ProviderAnswer: Sendable {
    package var status: Int
    package var body: [UInt8]
    /// The value of Cache-Control, empty when there is none.
    package var cacheControl: String

    /// Describes an answer.
    package init(status: Int, body: [UInt8], cacheControl: String = "") {
        self.status = status
        self.body = body
        self.cacheControl = cacheControl
    }
}

/// Why a provider could not be asked.
package enum ProviderTransportError: Error, Sendable, Equatable {
    /// The URL leads where it may not, as a sentence about it.
    case forbidden(String)
    /// It cannot be reached, or not in time, as a sentence about it.
    case unreachable(String)
    /// Its answer is longer than any that is believed.
    case tooLong
    /// Too many requests to providers are under way.
    case busy
}

/// Requests to providers, through judged addresses and in bounded time; loop-confined.
package protocol ProviderTransport: AnyObject {
    /// Why a URL must not be asked for, judged by its form; nil when it may.
    func fault(of url: String, isInternal: Bool) -> String?
    /// Sends a request once, follows no redirection, and collects the answer.
    func send(_ request: ProviderRequest) async throws(ProviderTransportError) -> ProviderAnswer
}
