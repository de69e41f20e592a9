import Core

/// The statements that list jobs, newest first.
///
/// Their parameters: before, limit, states, kind, project, team. A statement's order names its index: the column before
/// the id is held to one value by a range, because an order by a constant would be no order.
enum JobListing {
    /// The statement for a filter: of one project, of what a key is limited to, of the teams in scope, or of everything.
    static func statement(for filter: JobFilter, scope: Scope) -> PostgresStatement {
        // Live jobs have an index of their own: they are few among many that are over.
        let wantsLive = !filter.states.isEmpty && filter.states.allSatisfy { !$0.isFinal }
        if filter.project != nil { return wantsLive ? liveOfProject : ofProject }
        if case .key(_, isLimited: true) = scope { return wantsLive ? liveOfLimits : ofLimits }
        if scope == .system, filter.team == nil { return ofAll }
        return wantsLive ? liveOfTeams : ofTeams
    }

    private static let narrowed = """
        j.id < $1::uuid
            and (cardinality($3::text[]) = 0 or j.state = any ($3::text[]))
            and ($4::text is null or j.kind = $4::text)
            and ($5::uuid is null or j.project_id = $5::uuid)
            and ($6::uuid is null or j.team_id = $6::uuid)
        """
    private static let isLive = "j.state in ('delayed', 'queued', 'blocked', 'running', 'paused')"

    private static let ofAll = PostgresStatement(
        "jobs.list",
        "select \(Job.columns) from jobs j where \(narrowed) order by j.id desc limit $2::integer"
    )
    private static let ofProject = PostgresStatement(
        "jobs.list_project",
        """
        select \(Job.columns) from jobs j
        where j.project_id >= $5::uuid and j.project_id <= $5::uuid and \(narrowed)
        order by j.project_id desc, j.id desc limit $2::integer
        """
    )
    private static let liveOfProject = perTeam(
        "jobs.list_project_live",
        teams: "array(select p.team_id from projects p where p.id = $5::uuid)",
        isLive,
        order: "j.team_id, j.id desc"
    )
    /// Of the projects that a key is limited to.
    private static let ofLimits = PostgresStatement(
        "jobs.list_limits",
        """
        select \(Job.columns)
        from unnest(errand_key_projects()) as t (project_id)
        cross join lateral (
            select j.* from jobs j
            where j.project_id >= t.project_id and j.project_id <= t.project_id and \(narrowed)
            order by j.project_id desc, j.id desc limit $2::integer
        ) j
        order by j.id desc limit $2::integer
        """
    )
    /// By team, because what is not over is indexed so; the others of the team are out of the key's sight.
    private static let liveOfLimits = perTeam(
        "jobs.list_limits_live",
        teams: "array(select distinct p.team_id from projects p where p.id = any (errand_key_projects()))",
        isLive,
        order: "j.team_id, j.id desc"
    )
    private static let ofTeams = perTeam(
        "jobs.list_teams",
        teams: inScope,
        "true",
        order: "j.team_id desc, j.id desc"
    )
    private static let liveOfTeams = perTeam(
        "jobs.list_teams_live",
        teams: inScope,
        isLive,
        order: "j.team_id, j.id desc"
    )
    private static let inScope = "case when $6::uuid is null then errand_teams() else array[$6::uuid] end"

    /// The newest of each team, then the newest of those: an index has the order only within one team.
    private static func perTeam(
        _ name: String,
        teams: String,
        _ condition: String,
        order: String
    ) -> PostgresStatement {
        PostgresStatement(
            name,
            """
            select \(Job.columns)
            from unnest(\(teams)) as t (team_id)
            cross join lateral (
                select j.* from jobs j
                where j.team_id >= t.team_id and j.team_id <= t.team_id and \(condition) and \(narrowed)
                order by \(order) limit $2::integer
            ) j
            order by j.id desc limit $2::integer
            """
        )
    }
}
