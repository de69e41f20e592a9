import Auth
import Core
import HTTP

/// What a browser brings back from a provider.
struct ProviderReturn {
    let state: String?
    let code: String?
    let issuer: String?
    let error: String?

    /// The longest code that is passed on.
    private static let longestCode = 4_096

    /// Reads the query; nil when one of the members is there twice, of which nobody knows which is meant.
    ///
    /// Others are passed over: providers add their own.
    init?(_ request: HTTPRequest) {
        for name in ["state", "code", "iss", "error"] where request.query.count(where: { $0.0 == name }) > 1 {
            return nil
        }
        state = request.queryValue("state")
        code = request.queryValue("code").flatMap { (1...Self.longestCode).contains($0.utf8.count) ? $0 : nil }
        issuer = request.queryValue("iss")
        error = request.queryValue("error")
    }

    /// Whether a text is a word such as `access_denied`, which can be shown to anybody.
    static func isErrorCode(_ text: String) -> Bool {
        (1...60).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
    }
}

/// Why somebody who comes back from a provider is not let in: a word for programs and a sentence for people.
struct ProviderDenial: Error {
    let code: String
    let detail: String

    /// The provider did not sign the person in.
    init(providerError: String) {
        guard providerError == "access_denied" else {
            let shown = ProviderReturn.isErrorCode(providerError) ? providerError : "an unreadable error"
            self.init(code: "provider_refused", detail: "The provider did not sign you in: \(shown).")
            return
        }
        self.init(code: "access_denied", detail: "The sign-in was declined at the provider.")
    }

    init(_ refusal: ProviderRefusal) {
        self.init(code: refusal.rawValue, detail: refusal.sentence)
    }

    init(_ failure: ProviderFailure) {
        let problem = Problem(failure)
        self.init(code: problem.code, detail: problem.detail ?? problem.title)
    }

    private init(code: String, detail: String) {
        (self.code, self.detail) = (code, detail)
    }

    /// What came back did not come from the provider that the browser was sent to.
    static let mixedUp = ProviderDenial(
        code: "provider_mismatch",
        detail: "The answer is not from the provider that was asked."
    )
    /// There was neither a code nor an error.
    static let empty = ProviderDenial(code: "provider_refused", detail: "The provider sent you back without a code.")
}
