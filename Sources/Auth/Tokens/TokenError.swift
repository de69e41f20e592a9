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
    /// The header's `typ` is not that of an access token.
    case wrongType
    /// No key of ours has this identifier, or it has retired.
    case unknownKey
    /// A key that is no public Ed25519 signing key.
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

    package var description: String {
        switch self {
        case .tooLong: "token: too long"
        case .malformed: "token: malformed"
        case .wrongAlgorithm: "token: the algorithm is not the key's"
        case .unsupportedHeader: "token: a header member is not supported"
        case .wrongType: "token: not an access token"
        case .unknownKey: "token: unknown key"
        case .unusableKey: "token: the key is no public Ed25519 signing key"
        case .wrongSignature: "token: wrong signature"
        case .badClaim(let name): "token: claim \(name) is missing or malformed"
        case .wrongIssuer: "token: wrong issuer"
        case .wrongAudience: "token: wrong audience"
        case .expired: "token: expired"
        case .notYetValid: "token: not yet valid"
        }
    }
}
