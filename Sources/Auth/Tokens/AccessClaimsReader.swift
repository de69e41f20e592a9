import Bytes
import Core

/// Reads and judges the payload of a token whose signature has been verified.
struct AccessClaimsReader {
    let issuer: String
    let audience: String
    let now: Timestamp

    /// 9999-12-31, past which no instant can be written.
    private static let latestSecond: Int64 = 253_402_300_799
    /// Room for any identifier or address of ours.
    private static let maximumTextLength = 512
    private static let maximumAudiences = 16

    func read(_ payload: [UInt8]) throws(TokenError) -> AccessClaims {
        guard let members = (try? JSONReader.parse(payload))?.object else { throw .malformed }
        let claims = AccessClaims(
            issuer: try text(members, "iss"),
            audience: try audience(members),
            subject: try identifier(members, "sub"),
            signIn: try identifier(members, "sid"),
            tokenID: try text(members, "jti"),
            issuedAt: try instant(members, "iat"),
            expiresAt: try instant(members, "exp"),
            scopes: try scopes(members),
            clientID: try text(members, "client_id")
        )
        guard claims.issuer == issuer else { throw .wrongIssuer }
        guard claims.expiresAt > claims.issuedAt else { throw .badClaim("exp") }
        guard claims.expiresAt - claims.issuedAt <= AccessTokenTimes.maximumLifetime else { throw .badClaim("exp") }
        guard now < claims.expiresAt else { throw .expired }
        let horizon = now.adding(AccessTokenTimes.futureLeeway)
        guard claims.issuedAt <= horizon else { throw .notYetValid }
        if members["nbf"] != nil {
            guard try instant(members, "nbf") <= horizon else { throw .notYetValid }
        }
        return claims
    }

    private func text(_ members: JSONObject, _ name: String) throws(TokenError) -> String {
        guard let text = members[name]?.string, !text.isEmpty, text.utf8.count <= Self.maximumTextLength else {
            throw .badClaim(name)
        }
        return text
    }

    private func identifier<N>(_ members: JSONObject, _ name: String) throws(TokenError) -> ID<N> {
        guard let identifier = ID<N>(try text(members, name)) else { throw .badClaim(name) }
        return identifier
    }

    /// Whole seconds only: a fraction, an exponent or a negative number was not written by us.
    private func instant(_ members: JSONObject, _ name: String) throws(TokenError) -> Timestamp {
        guard let seconds = members[name]?.integer, (0...Self.latestSecond).contains(seconds) else {
            throw .badClaim(name)
        }
        return Timestamp(milliseconds: seconds * 1000)
    }

    /// Our own name, standing alone or in a list of names (RFC 7519 allows both).
    private func audience(_ members: JSONObject) throws(TokenError) -> String {
        let named: [JSONValue]
        switch members["aud"] {
        case .string(let one): named = [.string(one)]
        case .array(let list): named = list
        default: throw .badClaim("aud")
        }
        let names = named.compactMap(\.string)
        guard !names.isEmpty, names.count == named.count, names.count <= Self.maximumAudiences,
            names.allSatisfy({ !$0.isEmpty })
        else { throw .badClaim("aud") }
        guard names.contains(audience) else { throw .wrongAudience }
        return audience
    }

    private func scopes(_ members: JSONObject) throws(TokenError) -> [String] {
        let scopes = try text(members, "scope").split(separator: " ", omittingEmptySubsequences: false)
        guard scopes.allSatisfy({ !$0.isEmpty }) else { throw .badClaim("scope") }
        return scopes.map(String.init)
    }
}
