package import Bytes

/// An actor that belongs to a team and never signs in: it works by API keys alone.
package struct ServiceAccount: Sendable, Equatable {
    package var id: ServiceAccountID
    package var team: TeamID
    /// Unique in its team.
    package var name: String
    /// What its keys may do at most; never owner.
    package var role: Role
    package var createdBy: UserID
    package var createdAt: Timestamp

    /// Makes a service account from its stored parts.
    package init(
        id: ServiceAccountID,
        team: TeamID,
        name: String,
        role: Role,
        createdBy: UserID,
        createdAt: Timestamp
    ) {
        self.id = id
        self.team = team
        self.name = name
        self.role = role
        self.createdBy = createdBy
        self.createdAt = createdAt
    }
}
