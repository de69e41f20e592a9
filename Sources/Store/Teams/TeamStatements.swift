import Core

/// The statements on teams and their people, of which creating an account uses some.
enum TeamStatements {
    static let insertTeam = PostgresStatement(
        "teams.insert",
        "insert into teams (id, name, created_at) values ($1::uuid, $2::text, $3::timestamptz)"
    )
    static let insertMember = PostgresStatement(
        "memberships.insert",
        """
        insert into memberships (user_id, team_id, role, created_at)
        values ($1::uuid, $2::uuid, $3::text, $4::timestamptz)
        """
    )
    /// One person founds one team at a time, so that no two take the last place.
    static let lockOwner = PostgresStatement(
        "teams.lock_owner",
        "select from users u where u.id = $1::uuid for no key update"
    )
    static let found = AuditStatements.audited(
        "teams.found",
        parameters: 5,
        with: """
            born as (
                insert into teams (id, name, created_at)
                select $1::uuid, $2::text, $3::timestamptz
                where (
                    select count(*) from memberships m where m.user_id = $4::uuid and m.role = 'owner'
                ) < coalesce($5::integer, 2147483647)
                returning id
            )
            """,
        """
        insert into memberships (user_id, team_id, role, created_at)
        select $4::uuid, b.id, 'owner', $3::timestamptz from born b
        returning team_id
        """
    )
    static let selectMemberships = PostgresStatement(
        "memberships.of_user",
        """
        select \(Team.columns), m.role
        from memberships m left join teams t on t.id = m.team_id
        where m.user_id = $1::uuid
        order by t.created_at, t.id
        """
    )
    static let select = PostgresStatement(
        "teams.get",
        "select \(Team.columns), errand_role(t.id) from teams t where t.id = $1::uuid"
    )
    static let list = PostgresStatement(
        "teams.list",
        "select \(Team.columns) from teams t where t.id > $1::uuid order by t.id limit $2::integer"
    )
    /// The page is cut before the people are looked up: who may see each of them is asked for the page alone.
    static let listMembers = PostgresStatement(
        "memberships.of_team",
        """
        select \(Member.columns)
        from (
            select * from memberships
            where team_id = $1::uuid and user_id > $2::uuid
            order by user_id limit $3::integer
        ) m left join users u on u.id = m.user_id
        order by m.user_id
        """
    )
    static let selectMember = PostgresStatement(
        "memberships.get",
        """
        select \(Member.columns)
        from memberships m left join users u on u.id = m.user_id
        where m.team_id = $1::uuid and m.user_id = $2::uuid
        """
    )
    private static let ofProject = """
        from projects p
        join memberships m on m.team_id = p.team_id
        left join users u on u.id = m.user_id
        left join project_roles r on r.project_id = p.id and r.user_id = m.user_id
        """
    static let listProjectMembers = PostgresStatement(
        "project_roles.of_project",
        """
        select \(ProjectMember.columns) \(ofProject)
        where p.id = $1::uuid and p.deleted_at is null and m.user_id > $2::uuid
        order by m.user_id limit $3::integer
        """
    )
    static let selectProjectMember = PostgresStatement(
        "project_roles.get",
        """
        select \(ProjectMember.columns) \(ofProject)
        where p.id = $1::uuid and p.deleted_at is null and m.user_id = $2::uuid
        """
    )
    static let rename = act("teams.rename", 2, "errand_rename_team($1::uuid, $2::text)")
    static let addMember = act(
        "memberships.add",
        4,
        "errand_add_member($1::uuid, $2::uuid, $3::text, $4::timestamptz)"
    )
    static let setRole = act("memberships.set_role", 3, "errand_set_role($1::uuid, $2::uuid, $3::text)")
    static let removeMember = act("memberships.remove", 2, "errand_remove_member($1::uuid, $2::uuid)")
    static let transfer = act("teams.transfer", 2, "errand_transfer_team($1::uuid, $2::uuid)")
    static let setProjectRole = act("project_roles.set", 3, "errand_set_project_role($1::uuid, $2::uuid, $3::text)")
    static let delete = act("teams.delete", 2, "errand_delete_team($1::uuid, $2::timestamptz)")
    static let restore = act(
        "teams.restore",
        3,
        "errand_restore_team($1::uuid, $2::timestamptz, $3::bigint * interval '1 millisecond')"
    )

    /// A function that acts and answers with a verdict; the call's drafts are recorded when it was done.
    static func act(_ name: String, _ parameters: Int, _ function: String) -> PostgresStatement {
        AuditStatements.audited(
            name,
            parameters: parameters,
            when: "act.verdict = '\(TeamVerdict.done.rawValue)'",
            "select \(function) as verdict"
        )
    }
}
