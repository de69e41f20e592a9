/// Why a token was refused; the client learns no more than that it was, except for expiry.
package enum TokenError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Longer than a token of ours can be.
    case tooLong
    /// Not three segments of strict base64url, or the header or the claims are not strict JSON.
    case malformed
    /// The header names another algorithm than the key's.
    case wrongAlgorithm
    /// The header holds a member that we never write, such as `crit`, `b64`, `zip`, `jku` or `jwk`.
    case unsupportedHeader
    /// The header's `typ` is that of another kind of token.
    case wrongType
    /// No key of ours has this identifier, or it has retired.
    case unknownKey
    /// A key that is no public signing key of a kind that is used here.
    case unusableKey
    /// The signature is not the key's.
    case wrongSignature
    /// A required claim is missing, of the wrong type or out of range.
    case badClaim(String)
    /// Issued by somebody else.
    case wrongIssuer
    /// Issued for somebody else.
    case wrongAudience
    /// Past its end.
    case expired
    /// From the future.
    case notYetValid
    /// An ID token that answers another request than ours.
    case wrongNonce
    /// An ID token that was made for another client among several.
    case wrongParty
    /// An ID token that came with another access token, or with none.
    case wrongAccessToken

    package var description: String {
        switch self {
        case .tooLong: "token: too long"
        case .malformed: "token: malformed"
        case .wrongAlgorithm: "token: the algorithm is not the key's"
        case .unsupportedHeader: "token: a header member is not supported"
        case .wrongType: "token: of another kind"
        case .unknownKey: "token: unknown key"
        case .unusableKey: "token: the key is no public signing key of a kind that is used here"
        case .wrongSignature: "token: wrong signature"
        case .badClaim(let name): "token: claim \(name) is missing or malformed"
        case .wrongIssuer: "token: wrong issuer"
        case .wrongAudience: "token: wrong audience"
        case .expired: "token: expired"
        case .notYetValid: "token: not yet valid"
        case .wrongNonce: "token: the nonce is not that of the request"
        case .wrongParty: "token: the authorized party is another client"
        case .wrongAccessToken: "token: it belongs to another access token"
        }
    }
}
