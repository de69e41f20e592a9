import Bytes

/// Why a provider's own description cannot be used, as a sentence for whoever looks after it.
package struct ProviderMetadataError: Error, Equatable, CustomStringConvertible {
    package let description: String

    /// Says what is wrong.
    package init(_ description: String) { self.description = description }
}

/// Where a provider is reached and what it can do (OpenID Connect Discovery).
package struct ProviderMetadata: Sendable, Equatable {
    /// How we show our secret at the token endpoint.
    package enum Authentication: Sendable, Equatable {
        /// In the Authorization field.
        case basic
        /// In the form.
        case post
    }

    /// Where people sign in.
    package let authorizationEndpoint: String
    /// Where codes become tokens.
    package let tokenEndpoint: String
    /// Where the keys are.
    package let keysURL: String
    /// How we show our secret.
    package let authentication: Authentication
    /// Whether its answers name it (RFC 9207); then one that does not is not its.
    package let namesItself: Bool

    /// Below the issuer, where the description is (section 4).
    package static let place = "/.well-known/openid-configuration"
    private static let longestURL = 2_048

    /// Reads the description of the provider that is known by `issuer`; another's is refused.
    package init(document: [UInt8], issuer: String) throws(ProviderMetadataError) {
        guard let members = (try? JSONReader.parse(document))?.object else {
            throw ProviderMetadataError("its description is not JSON")
        }
        guard members["issuer"]?.string == issuer else {
            throw ProviderMetadataError("its description is of another issuer than \(issuer)")
        }
        authorizationEndpoint = try Self.url(members, "authorization_endpoint")
        tokenEndpoint = try Self.url(members, "token_endpoint")
        keysURL = try Self.url(members, "jwks_uri")
        guard Self.offers("S256", members["code_challenge_methods_supported"]) else {
            throw ProviderMetadataError("it offers PKCE without the method S256")
        }
        guard Self.offers("code", members["response_types_supported"]) else {
            throw ProviderMetadataError("it does not offer the authorization code flow")
        }
        let known = ProviderKey.Algorithm.allCases.contains {
            Self.offers($0.rawValue, members["id_token_signing_alg_values_supported"])
        }
        guard known else {
            throw ProviderMetadataError("it signs ID tokens with none of RS256, PS256, ES256 and EdDSA")
        }
        let methods = members["token_endpoint_auth_methods_supported"]
        if Self.offers("client_secret_basic", methods) {
            authentication = .basic
        } else if Self.offers("client_secret_post", methods) {
            authentication = .post
        } else {
            // A client without a secret proves nothing either way.
            guard Self.offers("none", methods) else {
                throw ProviderMetadataError("it takes the client's secret neither by client_secret_basic nor _post")
            }
            authentication = .post
        }
        namesItself = members["authorization_response_iss_parameter_supported"]?.bool == true
    }

    /// A list that is not there restricts nothing.
    private static func offers(_ word: String, _ list: JSONValue?) -> Bool {
        guard let list else { return true }
        return list.array?.contains(.string(word)) ?? false
    }

    /// A URL by its form; where it leads is judged by whoever goes there.
    private static func url(_ members: JSONObject, _ name: String) throws(ProviderMetadataError) -> String {
        guard let text = members[name]?.string, text.utf8.count <= longestURL,
            text.hasPrefix("https://") || text.hasPrefix("http://"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}#".utf8.contains($0) })
        else { throw ProviderMetadataError("its description has no usable \(name)") }
        return text
    }
}
