package import Bytes
package import Core

/// How long access tokens live.
package enum AccessTokenTimes {
    /// A new token's life; a revoked sign-in is refused sooner, by the check of the sign-in.
    package static let lifetime = Duration.seconds(15 * 60)
    /// The longest life that is believed, so that no token outlives a retired key for long.
    package static let maximumLifetime = Duration.seconds(60 * 60)
    /// How far the issuer's clock may be ahead of ours.
    package static let futureLeeway = Duration.seconds(30)
}

/// What an access token says (RFC 9068).
package struct AccessClaims: Sendable, Equatable {
    /// The installation that issued the token.
    package var issuer: String
    /// The installation that the token is meant for.
    package var audience: String
    /// The person who signed in.
    package var subject: UserID
    /// The sign-in that the token belongs to, by which it is revoked.
    package var signIn: SignInID
    /// Unique to this token.
    package var tokenID: String
    /// Written in whole seconds, rounded down.
    package var issuedAt: Timestamp
    /// Written in whole seconds, rounded down; the token is refused from this instant on.
    package var expiresAt: Timestamp
    /// What the token may be used for; none holds a space.
    package var scopes: [String]
    /// The client that asked for the token.
    package var clientID: String

    /// Gathers the claims of a token.
    package init(
        issuer: String,
        audience: String,
        subject: UserID,
        signIn: SignInID,
        tokenID: String,
        issuedAt: Timestamp,
        expiresAt: Timestamp,
        scopes: [String],
        clientID: String
    ) {
        self.issuer = issuer
        self.audience = audience
        self.subject = subject
        self.signIn = signIn
        self.tokenID = tokenID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.scopes = scopes
        self.clientID = clientID
    }

    /// The claims as a JSON payload.
    func encoded() -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.beginObject()
        writer.member("iss", issuer)
        writer.member("aud", audience)
        writer.member("sub", subject.description)
        writer.member("sid", signIn.description)
        writer.member("jti", tokenID)
        writer.member("iat", issuedAt.wholeSeconds)
        writer.member("exp", expiresAt.wholeSeconds)
        writer.member("scope", scopes.joined(separator: " "))
        writer.member("client_id", clientID)
        writer.endObject()
        return writer.bytes
    }
}

extension Timestamp {
    /// Seconds since the epoch, rounded towards the past.
    fileprivate var wholeSeconds: Int64 { milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000 }
}
