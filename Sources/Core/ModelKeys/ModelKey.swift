package import Bytes

/// To whom a model key belongs.
package enum ModelKeyOwner: Hashable, Sendable {
    case user(UserID)
    case team(TeamID)

    /// Where the key is sealed.
    package var secretPlace: SecretPlace {
        switch self {
        case .user(let id): SecretPlace(table: "model_keys", row: id, column: "key")
        case .team(let id): SecretPlace(table: "model_keys", row: id, column: "key")
        }
    }

    /// The identifier's text form.
    package var description: String {
        switch self {
        case .user(let id): id.description
        case .team(let id): id.description
        }
    }
}

/// Whose key a job's attempt was granted; never the key.
package enum ModelKeyKind: String, Sendable, CaseIterable {
    /// The submitter's own.
    case user
    /// The team's.
    case team
    /// The one that this installation was given, for the team that it names.
    case installation
    /// None: the stand-in answers.
    case standIn = "stand_in"
}

/// What is shown of a stored model key.
package struct ModelKey: Sendable, Equatable {
    package var owner: ModelKeyOwner
    package var provider: ModelProvider
    /// Nil for the provider's own address.
    package var baseURL: String?
    /// The last four characters; nil of a key so short that they would tell much of it.
    package var lastFour: String?
    package var setBy: UserID
    package var setAt: Timestamp
    /// When the provider accepted it; nil when nobody asked or it did not tell.
    package var verifiedAt: Timestamp?

    /// Describes a key.
    package init(
        owner: ModelKeyOwner,
        provider: ModelProvider,
        baseURL: String?,
        lastFour: String?,
        setBy: UserID,
        setAt: Timestamp,
        verifiedAt: Timestamp?
    ) {
        self.owner = owner
        self.provider = provider
        self.baseURL = baseURL
        self.lastFour = lastFour
        self.setBy = setBy
        self.setAt = setAt
        self.verifiedAt = verifiedAt
    }

    /// The characters of a key that may be shown.
    package static func lastFour(of key: String) -> String? { key.utf8.count >= 16 ? String(key.suffix(4)) : nil }
}
