package import Bytes

/// An outside OpenID provider by which people may sign in to this installation.
package struct OpenIDProvider: Sendable, Equatable {
    package var id: ProviderID
    /// The short name in links and commands; unique.
    package var name: String
    /// What people read on the button.
    package var label: String
    /// The provider's name for itself, to the letter; unique.
    package var issuer: String
    /// Our name at the provider.
    package var clientID: String
    /// The only domains whose addresses may sign in; empty for any.
    package var domains: [String]
    /// Whether a person without an account gets one.
    package var makesAccounts: Bool
    /// The team that such a person joins besides their own.
    package var joins: ProviderTeam?
    /// Whether the provider may be in a network of the administrator's own.
    package var isInternal: Bool
    /// Whether an address counts as verified of which the provider does not say so: it has no other addresses.
    package var vouchesForAddresses: Bool
    package var createdAt: Timestamp

    /// Describes a provider.
    package init(
        id: ProviderID,
        name: String,
        label: String,
        issuer: String,
        clientID: String,
        domains: [String],
        makesAccounts: Bool,
        joins: ProviderTeam?,
        isInternal: Bool,
        vouchesForAddresses: Bool,
        createdAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.label = label
        self.issuer = issuer
        self.clientID = clientID
        self.domains = domains
        self.makesAccounts = makesAccounts
        self.joins = joins
        self.isInternal = isInternal
        self.vouchesForAddresses = vouchesForAddresses
        self.createdAt = createdAt
    }

    /// Where its client secret is sealed.
    package var secretPlace: SecretPlace { SecretPlace(table: "oidc_providers", row: id, column: "client_secret") }

    /// Whether a text can be a provider's short name: what needs no escaping in a path.
    package static func isName(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count) && !text.hasPrefix("-")
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}

/// The team that people join whose accounts a provider brings, and as what.
package struct ProviderTeam: Sendable, Equatable {
    package var team: TeamID
    /// Never `owner`: nobody becomes one without being known.
    package var role: Role

    /// Pairs a team with a role.
    package init(team: TeamID, role: Role) {
        self.team = team
        self.role = role
    }
}

/// A person's account at a provider, which opens their account here.
package struct UserIdentity: Sendable, Equatable {
    package var id: IdentityID
    package var userID: UserID
    /// With the subject the whole name; neither alone says who it is.
    package var issuer: String
    package var subject: String
    /// The address at the provider when it was linked, for people to tell identities apart.
    package var email: String?
    package var linkedAt: Timestamp
    package var lastUsedAt: Timestamp

    /// Describes a link.
    package init(
        id: IdentityID,
        userID: UserID,
        issuer: String,
        subject: String,
        email: String?,
        linkedAt: Timestamp,
        lastUsedAt: Timestamp
    ) {
        self.id = id
        self.userID = userID
        self.issuer = issuer
        self.subject = subject
        self.email = email
        self.linkedAt = linkedAt
        self.lastUsedAt = lastUsedAt
    }
}
