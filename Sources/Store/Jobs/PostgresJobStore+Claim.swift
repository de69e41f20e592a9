import Bytes
import Core

/// Where the turns of teams and projects stand, for claims that choose by themselves.
struct ClaimRing {
    var team = TeamID.lowest
    var project = ProjectID.lowest

    /// Moves on past what was served: the next claim begins after the team that got the last place.
    mutating func advance(past claimed: [ClaimedJob]) {
        let shares = Dictionary(grouping: claimed.map(\.job.teamID)) { $0 }.mapValues(\.count)
        let most = shares.values.max() ?? 0
        team = Self.last(shares.filter { $0.value == most }.keys, after: team) ?? team
        let homed = claimed.filter { $0.job.workspace == .project }.map(\.project.id)
        project = Self.last(homed, after: project) ?? project
    }

    /// The one that comes last when the ring begins after `cursor`.
    private static func last<N>(_ ids: some Sequence<ID<N>>, after cursor: ID<N>) -> ID<N>? {
        ids.max { ($0 <= cursor ? 1 : 0, $0) < ($1 <= cursor ? 1 : 0, $1) }
    }
}

extension PostgresJobStore {
    func claim(
        candidates: [JobID]?,
        lease: WorkerLease,
        limit: Int,
        now: Timestamp
    ) async throws(StoreError) -> [ClaimedJob] {
        guard limit > 0, candidates?.isEmpty != true else { return [] }
        let values: [PostgresValue] = [
            candidates.map { .ids($0) } ?? .null, .id(lease.worker), .bigint(lease.epoch), .integer(limit), .time(now),
            .id(ring.team), .id(ring.project),
        ]
        let claimed = try await pool.run(.system, Self.claim(values)).rows { row throws(StoreError) in
            ClaimedJob(job: try Job(&row), project: try Project(&row))
        }
        if candidates == nil { ring.advance(past: claimed) }
        return claimed
    }

    /// The project's row is read as it was before the claim, which may just have given it a home.
    private static let claim = PostgresStatement(
        "jobs.claim",
        """
        select \(Job.columns), p.id, p.team_id, p.name, p.policy,
            case when j.workspace = 'project' then j.worker_id else p.home_worker end, p.created_at, p.updated_at
        from errand_claim(
            $1::uuid[], $2::uuid, $3::bigint, $4::integer, $5::timestamptz, $6::uuid, $7::uuid
        ) j
        left join projects p on p.id = j.project_id
        order by j.priority, j.run_at, j.id
        """
    )
}
