import Bytes
import HTTP

/// A refusal in the form that OAuth clients read (RFC 6749, 5.2).
struct OAuthError: Error {
    let status: Int
    /// The code that the protocol names.
    let code: String
    let description: String

    private init(_ code: String, _ description: String, status: Int = 400) {
        self.status = status
        self.code = code
        self.description = description
    }

    /// The refusal as an answer.
    var response: HTTPResponse {
        var response = HTTPResponse.json(
            status,
            document { writer in
                writer.beginObject()
                writer.member("error", code)
                writer.member("error_description", description)
                writer.endObject()
            }
        )
        if status == 401 { response.headers.set(name: "www-authenticate", value: "Basic realm=\"errand\"") }
        return response
    }

    static func invalidRequest(_ description: String) -> OAuthError { OAuthError("invalid_request", description) }
    static let invalidClient = OAuthError(
        "invalid_client",
        "The client is not known, or its proof is wrong.",
        status: 401
    )
    /// One answer for what never was, was used, has ended, or belongs to another client.
    static let invalidGrant = OAuthError(
        "invalid_grant",
        "It is unknown, used, expired or another client's: begin anew."
    )
    static let invalidScope = OAuthError("invalid_scope", "The scope is not one that this client may have.")
    static let unsupportedGrantType = OAuthError("unsupported_grant_type", "Only the documented grants are given.")
    static let authorizationPending = OAuthError("authorization_pending", "The person has not answered yet.")
    static let slowDown = OAuthError("slow_down", "Ask less often: the interval is five seconds longer now.")
    static let accessDenied = OAuthError("access_denied", "The person refused.")
    static let expiredToken = OAuthError("expired_token", "The device code has ended: begin anew.")
}

extension GuardedOperation {
    /// An operation of the OAuth protocol, which anybody may call and which says what is wrong in that protocol's form.
    static func oauth(
        _ operation: @escaping (Endpoints) -> (HTTPRequest) async throws -> HTTPResponse
    ) -> GuardedOperation {
        GuardedOperation(access: .anyone) { endpoints, request in
            do {
                return try await operation(endpoints)(request)
            } catch let error as OAuthError {
                return error.response
            } catch let error as ProblemError where [400, 413, 415, 422].contains(error.problem.status) {
                let problem = error.problem
                let text = [problem.title, problem.detail].compactMap(\.self).joined(separator: ": ")
                return OAuthError.invalidRequest(text).response
            }
        }
    }
}
