package import Bytes

/// What a member may do in a team; each role includes the ones before it.
package enum Role: String, Sendable, CaseIterable, Comparable {
    case viewer, member, admin, owner

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .member: 1
        case .admin: 2
        case .owner: 3
        }
    }

    package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
}

/// A group of people who own projects together.
package struct Team: Sendable, Equatable {
    package var id: TeamID
    package var name: String
    package var createdAt: Timestamp
    /// When its deletion was asked for; until `purgeAt` an owner can take that back.
    package var deletedAt: Timestamp?
    /// Whoever has no second factor is not let in.
    package var requiresSecondFactor: Bool

    /// Makes a team from its stored parts.
    package init(
        id: TeamID,
        name: String,
        createdAt: Timestamp,
        deletedAt: Timestamp? = nil,
        requiresSecondFactor: Bool = false
    ) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
        self.deletedAt = deletedAt
        self.requiresSecondFactor = requiresSecondFactor
    }

    /// When it is gone for good, once its deletion was asked for.
    package var purgeAt: Timestamp? { deletedAt?.adding(TeamLimits.deletionGrace) }
}

/// A team together with the asking person's role in it.
package struct Membership: Sendable, Equatable {
    package var team: Team
    package var role: Role

    /// Pairs a team with a role.
    package init(team: Team, role: Role) {
        self.team = team
        self.role = role
    }

    /// The team as a row that was found for the person.
    package var access: Access<Team> { Access(value: team, role: role, isClosing: team.deletedAt != nil) }
}

/// A person in a team.
package struct Member: Sendable, Equatable {
    package var user: User
    package var role: Role
    package var joinedAt: Timestamp

    /// Pairs a person with a role.
    package init(user: User, role: Role, joinedAt: Timestamp) {
        self.user = user
        self.role = role
        self.joinedAt = joinedAt
    }
}

/// A person in a team as one of its projects sees them.
package struct ProjectMember: Sendable, Equatable {
    package var user: User
    /// The role in the team.
    package var teamRole: Role
    /// The role that was set for this project; nil when the team's counts.
    package var ownRole: Role?

    /// Pairs a person with both roles.
    package init(user: User, teamRole: Role, ownRole: Role?) {
        self.user = user
        self.teamRole = teamRole
        self.ownRole = ownRole
    }

    /// The role that counts in the project.
    package var role: Role { teamRole == .owner ? .owner : ownRole ?? teamRole }
}
