package import Bytes
import Crypto

/// What a verified ID token says of a person (OpenID Connect Core, section 2).
package struct IDToken: Sendable, Equatable {
    /// Who the provider is.
    package var issuer: String
    /// The person, as the provider names them for ever; only together with the issuer a name.
    package var subject: String
    /// The address that the provider has on file; nil for none.
    package var email: String?
    /// What the provider says of the address; nil when it says nothing.
    package var isEmailVerified: Bool?
    /// The person's name for people.
    package var name: String?
    /// When the person last proved to the provider who they are; nil when it does not say.
    package var authenticatedAt: Timestamp?
    /// By what the person proved it (RFC 8176), as far as the provider says.
    package var methods: [String]
}

/// What an ID token must fit to be believed.
package struct IDTokenExpectation: Sendable {
    /// How far the provider's clock and ours may be apart.
    package static let leeway = Duration.seconds(30)
    /// A token is asked for while a sign-in is under way, which takes no longer.
    package static let maximumAge = Duration.seconds(600)

    /// The provider's name, as the administrator wrote it.
    package var issuer: String
    /// Our name at the provider.
    package var clientID: String
    /// What our request carried.
    package var nonce: String
    /// The access token that came along.
    package var accessToken: String?

    /// Describes the token that answers a request.
    package init(issuer: String, clientID: String, nonce: String, accessToken: String?) {
        self.issuer = issuer
        self.clientID = clientID
        self.nonce = nonce
        self.accessToken = accessToken
    }

    private static let longestSubject = 255
    private static let longestText = 512
    private static let maximumAudiences = 16
    /// 9999-12-31, past which no instant can be written.
    private static let latestSecond: Int64 = 253_402_300_799

    /// The claims of a token that a provider's key signed and that answers our request now.
    package func verify(_ token: String, keys: ProviderKeySet, now: Timestamp) throws(TokenError) -> IDToken {
        let parsed = try JWS(foreign: token)
        try keys.verify(parsed)
        guard let members = (try? JSONReader.parse(parsed.payload))?.object else { throw .malformed }
        guard let issuer = members["iss"]?.string else { throw .badClaim("iss") }
        guard issuer == self.issuer else { throw .wrongIssuer }
        try checkAudience(members)
        try checkTimes(members, now)
        guard let nonce = members["nonce"]?.string else { throw .badClaim("nonce") }
        guard constantTimeEqual([UInt8](nonce.utf8), [UInt8](self.nonce.utf8)) else { throw .wrongNonce }
        try checkAccessToken(members, parsed.algorithm)
        guard let subject = members["sub"]?.string, (1...Self.longestSubject).contains(subject.utf8.count),
            subject.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw .badClaim("sub") }
        return IDToken(
            issuer: issuer,
            subject: subject,
            email: text(members, "email"),
            // Whatever stands there and is not true says no.
            isEmailVerified: members["email_verified"].map { $0.bool ?? false },
            name: text(members, "name"),
            authenticatedAt: members["auth_time"] == nil ? nil : try instant(members, "auth_time"),
            methods: members["amr"]?.array?.prefix(Self.maximumAudiences).compactMap(\.string) ?? []
        )
    }

    /// Our own name, alone or in a list; then, and whenever it is there, `azp` must name us too.
    private func checkAudience(_ members: JSONObject) throws(TokenError) {
        let named: [JSONValue]
        switch members["aud"] {
        case .string(let one): named = [.string(one)]
        case .array(let list): named = list
        default: throw .badClaim("aud")
        }
        let names = named.compactMap(\.string)
        guard !names.isEmpty, names.count == named.count, names.count <= Self.maximumAudiences else {
            throw .badClaim("aud")
        }
        guard names.contains(clientID) else { throw .wrongAudience }
        guard let party = members["azp"] else {
            guard Set(names).count == 1 else { throw .wrongParty }
            return
        }
        guard party.string == clientID else { throw .wrongParty }
    }

    private func checkTimes(_ members: JSONObject, _ now: Timestamp) throws(TokenError) {
        let (issued, end) = (try instant(members, "iat"), try instant(members, "exp"))
        guard end > issued else { throw .badClaim("exp") }
        guard now < end.adding(Self.leeway) else { throw .expired }
        guard issued <= now.adding(Self.leeway) else { throw .notYetValid }
        guard now <= issued.adding(Self.maximumAge + Self.leeway) else { throw .expired }
        guard members["nbf"] != nil else { return }
        guard try instant(members, "nbf") <= now.adding(Self.leeway) else { throw .notYetValid }
    }

    /// The left half of the access token's digest, by the digest of the signature's algorithm.
    private func checkAccessToken(_ members: JSONObject, _ algorithm: String) throws(TokenError) {
        guard let claimed = members["at_hash"] else { return }
        guard let hash = claimed.string.flatMap({ Base64.decodeURL($0) }) else { throw .badClaim("at_hash") }
        guard let accessToken else { throw .wrongAccessToken }
        let bytes = [UInt8](accessToken.utf8)
        let digest = algorithm == ProviderKey.Algorithm.eddsa.rawValue ? Digest.sha512(bytes) : Digest.sha256(bytes)
        guard constantTimeEqual(hash, [UInt8](digest.prefix(digest.count / 2))) else { throw .wrongAccessToken }
    }

    /// Whole seconds only: a fraction or a negative number is a mistake of the provider's.
    private func instant(_ members: JSONObject, _ name: String) throws(TokenError) -> Timestamp {
        guard let seconds = members[name]?.integer, (0...Self.latestSecond).contains(seconds) else {
            throw .badClaim(name)
        }
        return Timestamp(milliseconds: seconds * 1000)
    }

    /// What is no short text is as good as not there: nothing hangs on it.
    private func text(_ members: JSONObject, _ name: String) -> String? {
        members[name]?.string.flatMap { (1...Self.longestText).contains($0.utf8.count) ? $0 : nil }
    }
}
