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

    /// Makes a team from its stored parts.
    package init(id: TeamID, name: String, createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
    }
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
    package var access: Access<Team> { Access(value: team, role: role) }
}
