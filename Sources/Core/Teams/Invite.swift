package import Bytes

/// An invitation into a team; its token is known to whoever holds the link, and kept nowhere.
package struct Invite: Sendable, Equatable {
    /// Where an invitation stands.
    package enum State: String, Sendable, CaseIterable {
        case open, accepted, revoked, expired
    }

    package var id: InviteID
    package var teamID: TeamID
    /// What its guest will be.
    package var role: Role
    /// The only address, canonical, whose account may accept; nil for whoever holds the link.
    package var email: String?
    /// Nil when the machine's administrator invited.
    package var invitedBy: UserID?
    package var createdAt: Timestamp
    package var expiresAt: Timestamp
    package var acceptedAt: Timestamp?
    package var acceptedBy: UserID?
    package var revokedAt: Timestamp?

    /// Makes an invitation that nobody has answered.
    package init(
        id: InviteID,
        teamID: TeamID,
        role: Role,
        email: String?,
        invitedBy: UserID?,
        createdAt: Timestamp,
        expiresAt: Timestamp
    ) {
        self.id = id
        self.teamID = teamID
        self.role = role
        self.email = email
        self.invitedBy = invitedBy
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }

    /// Where it stands at a moment.
    package func state(at now: Timestamp) -> State {
        if acceptedAt != nil { return .accepted }
        if revokedAt != nil { return .revoked }
        return expiresAt > now ? .open : .expired
    }
}
