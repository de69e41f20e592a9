import Core

/// The statements that list jobs, each with an index that gives its order.
///
/// Their parameters: before, limit, states, kind, project, team.
enum JobListing {
    /// The statement for a filter: of one project, of the teams in scope, or of everything.
    static func statement(for filter: JobFilter, scope: Scope) -> PostgresStatement {
        // Live jobs have an index of their own: they are few among many that are over.
        let wantsLive = !filter.states.isEmpty && filter.states.allSatisfy { !$0.isFinal }
        if filter.project != nil { return wantsLive ? liveOfProject : ofProject }
        if scope == .system, filter.team == nil { return wantsLive ? liveOfAll : ofAll }
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

    private static let ofAll = plain("jobs.list", "true")
    private static let liveOfAll = plain("jobs.list_live", isLive)
    private static let ofProject = plain("jobs.list_project", "j.project_id = $5::uuid")
    private static let liveOfProject = plain(
        "jobs.list_project_live",
        "\(isLive) and j.team_id = (select p.team_id from projects p where p.id = $5::uuid)"
    )
    private static let ofTeams = perTeam("jobs.list_teams", "true")
    private static let liveOfTeams = perTeam("jobs.list_teams_live", isLive)

    private static func plain(_ name: String, _ condition: String) -> PostgresStatement {
        PostgresStatement(
            name,
            """
            select \(Job.columns) from jobs j
            where \(condition) and \(narrowed)
            order by j.id desc limit $2::integer
            """
        )
    }

    /// The newest of each team, then the newest of those: an index has the order only within one team.
    private static func perTeam(_ name: String, _ condition: String) -> PostgresStatement {
        PostgresStatement(
            name,
            """
            select \(Job.columns)
            from unnest(case when $6::uuid is null then errand_teams() else array[$6::uuid] end) as t (team_id)
            cross join lateral (
                select j.* from jobs j
                where j.team_id = t.team_id and \(condition) and \(narrowed)
                order by j.id desc limit $2::integer
            ) j
            order by j.id desc limit $2::integer
            """
        )
    }
}
