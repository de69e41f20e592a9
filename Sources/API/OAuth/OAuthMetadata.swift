import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// What this authorization server is and has: `GET /.well-known/oauth-authorization-server` (RFC 8414).
    func oauthMetadata(_ request: HTTPRequest) async throws -> HTTPResponse {
        let proofs = ["none", "client_secret_basic", "client_secret_post"]
        let lists: [(String, [String])] = [
            ("scopes_supported", KeyScope.allCases.map(\.rawValue).sorted()), ("response_types_supported", ["code"]),
            ("response_modes_supported", ["query"]),
            ("grant_types_supported", [GrantType.code, GrantType.refreshToken, GrantType.deviceCode]),
            ("code_challenge_methods_supported", [CodeChallenge.method]),
            ("token_endpoint_auth_methods_supported", proofs), ("revocation_endpoint_auth_methods_supported", proofs),
        ]
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.member("issuer", services.settings.publicURL)
                writer.member("authorization_endpoint", publicPath("/oauth/authorize"))
                writer.member("token_endpoint", publicPath("/oauth/token"))
                writer.member("revocation_endpoint", publicPath("/oauth/revoke"))
                writer.member("device_authorization_endpoint", publicPath("/oauth/device_authorization"))
                writer.member("jwks_uri", publicPath("/.well-known/jwks.json"))
                for (name, values) in lists {
                    writer.key(name)
                    writer.value(.array(values.map { .string($0) }))
                }
                writer.member("authorization_response_iss_parameter_supported", true)
                writer.endObject()
            }
        )
    }
}
