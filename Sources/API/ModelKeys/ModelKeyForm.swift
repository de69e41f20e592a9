import Bytes
import Core
import HTTP

/// A model key as a person sends it.
struct ModelKeyForm {
    /// The longest key that the worker link carries.
    private static let keyBytes = 4_096

    let provider: ModelProvider
    /// Nil for the provider's own address.
    let baseURL: String?
    let key: String
    /// Nil when a fault was noted.
    let endpoint: ModelEndpoint?

    /// Reads the fields, and judges the address by the rules as they are now.
    init(_ fields: inout FieldReader, check: any ModelKeyCheck) {
        let provider = fields.choice("provider", ModelProvider.self, required: true)
        baseURL = fields.string("base_url", maximum: ModelEndpoint.longestURL, required: provider == .compatible)
        key = fields.string("key", maximum: Self.keyBytes) ?? ""
        self.provider = provider ?? .anthropic
        if !key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            fields.fault("key", "must be visible ASCII characters without spaces")
        }
        if provider == .anthropic, baseURL != nil {
            fields.fault("base_url", "is only for the provider \"compatible\"")
        }
        do throws(ModelEndpointError) {
            endpoint = try check.endpoint(self.provider, baseURL: baseURL)
        } catch {
            endpoint = nil
            fields.fault("base_url", error.description)
        }
    }
}

/// What became of the question whether the provider takes a key.
enum ModelKeyVerification: String {
    /// The provider takes it.
    case accepted
    /// The provider answers, and not in a way that tells.
    case unclear
    /// Nobody asked.
    case skipped
}
