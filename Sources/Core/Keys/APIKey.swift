package import Bytes

/// An API key as it is kept: everything but its secret.
package struct APIKey: Sendable, Equatable {
    package var id: APIKeyID
    package var team: TeamID
    package var name: String
    /// The beginning of the secret, by which people tell keys apart.
    package var hint: String
    /// Who has seen the secret: the key ends with their membership of the team, for good.
    package var issuedBy: UserID
    /// The service account that it acts for; nil when it acts for its issuer.
    package var serviceAccount: ServiceAccountID?
    package var scopes: Set<KeyScope>
    /// The only projects that it opens; nil for all of the team's.
    package var projects: [ProjectID]?
    package var createdAt: Timestamp
    package var expiresAt: Timestamp?
    package var lastUsedAt: Timestamp?
    package var revokedAt: Timestamp?
    /// The key that a rotation made of it.
    package var replacedBy: APIKeyID?

    /// Makes a key that is new.
    package init(
        id: APIKeyID,
        team: TeamID,
        name: String,
        hint: String,
        issuedBy: UserID,
        serviceAccount: ServiceAccountID?,
        scopes: Set<KeyScope>,
        projects: [ProjectID]?,
        createdAt: Timestamp,
        expiresAt: Timestamp?
    ) {
        self.id = id
        self.team = team
        self.name = name
        self.hint = hint
        self.issuedBy = issuedBy
        self.serviceAccount = serviceAccount
        self.scopes = scopes
        self.projects = projects
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }

    /// Whom it acts for.
    package var account: ActingAccount { serviceAccount.map { .service($0) } ?? .person(issuedBy) }

    /// Whose rows it opens.
    package var scope: Scope { .key(id, isLimited: projects != nil) }

    /// Whether it is past its end.
    package func hasExpired(at now: Timestamp) -> Bool { expiresAt.map { now >= $0 } ?? false }
}

/// What became of a key that somebody wants to make or to rotate.
package enum KeyVerdict: String, Sendable {
    case done
    /// The team has as many as it may.
    case teamFull = "team_full"
    /// The person has as many for themselves as one may.
    case personFull = "person_full"
    /// The old one was replaced or revoked, or has expired.
    case replaced
    /// The one that the old one replaced still works.
    case overlapping
}

/// The bounds of API keys.
package enum APIKeyLimits {
    /// The longest life that can be given, in days; without one a key has no end, which is said where keys are made.
    package static let longestDays = 366
    /// The same as a duration.
    package static let longestLife = days(longestDays)
    /// How long a replaced key goes on unless told otherwise: a day's deployments pick the new one up.
    package static let standardOverlap = Duration.seconds(86_400)
    /// The longest overlap: two secrets for one purpose are one too many.
    package static let longestOverlap = Duration.seconds(7 * 86_400)
    /// Standing keys of one team; one and the one that it replaces count once.
    package static let perTeam = 200
    /// Those that one person has for themselves, so that nobody takes all of their team's.
    package static let perPerson = 50
    /// Standing service accounts of one team.
    package static let serviceAccountsPerTeam = 100
    /// Projects that one key may be limited to; past that the whole team is meant.
    package static let projects = 100
    /// Bytes of a name.
    package static let nameLength = 100

    /// So many days.
    package static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}
