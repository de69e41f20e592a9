import Bytes
import Core

/// Teams and memberships in PostgreSQL.
final class PostgresTeamStore: TeamStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func createTeam(_ team: Team, owner: UserID) async throws(StoreError) {
        let group = PostgresGroup(
            .system,
            [
                TeamStatements.insertTeam([.id(team.id), .text(team.name), .time(team.createdAt)]),
                TeamStatements.setMember([.id(owner), .id(team.id), .text(Role.owner.rawValue)]),
            ]
        )
        _ = try await pool.run(group)
    }

    func memberships(of user: UserID) async throws(StoreError) -> [Membership] {
        // In the person's own scope: a disabled account has no teams.
        let result = try await pool.run(.user(user), TeamStatements.selectMemberships([.id(user)]))
        return try result.rows { row throws(StoreError) in
            Membership(
                team: Team(id: try row.value(), name: try row.value(), createdAt: try row.value()),
                role: try row.word()
            )
        }
    }

    func team(_ id: TeamID, scope: Scope) async throws(StoreError) -> Access<Team>? {
        try await pool.run(scope, TeamStatements.select([.id(id)])).first { row throws(StoreError) in
            Access(
                value: Team(id: try row.value(), name: try row.value(), createdAt: try row.value()),
                role: try row.word()
            )
        }
    }

    func members(of team: TeamID, scope: Scope) async throws(StoreError) -> [(user: User, role: Role)] {
        try await pool.run(scope, TeamStatements.selectMembers([.id(team)])).rows { row throws(StoreError) in
            (user: try User(&row), role: try row.word())
        }
    }

    func setMember(_ user: UserID, of team: TeamID, role: Role) async throws(StoreError) {
        _ = try await pool.run(.system, TeamStatements.setMember([.id(user), .id(team), .text(role.rawValue)]))
    }
}

/// The statements on teams, of which creating an account uses some.
enum TeamStatements {
    static let insertTeam = PostgresStatement(
        "teams.insert",
        "insert into teams (id, name, created_at) values ($1::uuid, $2::text, $3::timestamptz)"
    )
    static let setMember = PostgresStatement(
        "memberships.set",
        """
        insert into memberships (user_id, team_id, role) values ($1::uuid, $2::uuid, $3::text)
        on conflict (user_id, team_id) do update set role = excluded.role
        """
    )
    static let select = PostgresStatement(
        "teams.get",
        "select t.id, t.name, t.created_at, errand_role(t.id) from teams t where t.id = $1::uuid"
    )
    static let selectMemberships = PostgresStatement(
        "memberships.of_user",
        """
        select t.id, t.name, t.created_at, m.role
        from memberships m left join teams t on t.id = m.team_id
        where m.user_id = $1::uuid
        order by t.created_at, t.id
        """
    )
    static let selectMembers = PostgresStatement(
        "memberships.of_team",
        """
        select \(User.columns), m.role
        from memberships m left join users u on u.id = m.user_id
        where m.team_id = $1::uuid
        order by m.created_at, u.id
        """
    )
}
