package import Bytes

/// A program of somebody else's that a team has registered, so that people may let it act for them in that team.
package struct OAuthClient: Sendable, Equatable {
    package var id: OAuthClientID
    /// The only team that it reaches, whoever consents.
    package var team: TeamID
    package var name: String
    /// Where people are sent back to, exactly.
    package var redirectURIs: [String]
    /// What it may ask for at most.
    package var scopes: Set<KeyScope>
    /// It can keep a secret, and proves itself by it.
    package var isConfidential: Bool
    package var createdBy: UserID
    package var createdAt: Timestamp

    /// Makes a client from its stored parts.
    package init(
        id: OAuthClientID,
        team: TeamID,
        name: String,
        redirectURIs: [String],
        scopes: Set<KeyScope>,
        isConfidential: Bool,
        createdBy: UserID,
        createdAt: Timestamp
    ) {
        self.id = id
        self.team = team
        self.name = name
        self.redirectURIs = redirectURIs
        self.scopes = scopes
        self.isConfidential = isConfidential
        self.createdBy = createdBy
        self.createdAt = createdAt
    }
}

/// The bounds of registered clients.
package enum OAuthClientLimits {
    /// Clients of a team.
    package static let perTeam = 50
    /// Addresses of one client: a few platforms and stages.
    package static let redirectURIs = 10
    /// Bytes of a name.
    package static let nameLength = 100
    /// How long a code lives: the client exchanges it at once.
    package static let codeLifetime = Duration.seconds(60)
}

/// What a person let a client have, until it is exchanged for tokens.
package struct AuthorizationCode: Sendable, Equatable {
    package var client: OAuthClientID
    package var user: UserID
    package var redirectURI: String
    /// The client's commitment (S256).
    package var challenge: String
    package var scopes: Set<KeyScope>
    /// When the person had proved who they are.
    package var authenticatedAt: Timestamp
    package var createdAt: Timestamp
    package var expiresAt: Timestamp
    /// The sign-in that it became; it is used up.
    package var signIn: SignInID?

    /// Makes a code that nobody has exchanged.
    package init(
        client: OAuthClientID,
        user: UserID,
        redirectURI: String,
        challenge: String,
        scopes: Set<KeyScope>,
        authenticatedAt: Timestamp,
        createdAt: Timestamp,
        expiresAt: Timestamp
    ) {
        self.client = client
        self.user = user
        self.redirectURI = redirectURI
        self.challenge = challenge
        self.scopes = scopes
        self.authenticatedAt = authenticatedAt
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}
