package import Bytes

/// Teams and their people, kept durably.
///
/// The acts that answer with a `TeamVerdict` judge by the scope's role under the team's lock, so that of several at once
/// each sees what the others did; `Scope.system` is the machine's administrator, above every role. A draft is recorded
/// in the transaction of its act, when the verdict is `done`.
package protocol TeamStore: AnyObject {
    /// Creates a team with its first owner.
    ///
    /// False, and nothing is made, when the owner owns `most` teams already; nil for any number.
    func createTeam(_ team: Team, owner: UserID, most: Int?, audit: AuditDraft) async throws(StoreError) -> Bool
    /// The teams of a person with the role in each, oldest first.
    func memberships(of user: UserID) async throws(StoreError) -> [Membership]
    /// One team with the asker's role; nil when unknown or out of scope.
    func team(_ id: TeamID, scope: Scope) async throws(StoreError) -> Access<Team>?
    /// Teams in scope, oldest first, behind `after`.
    func teams(after: TeamID?, limit: Int, scope: Scope) async throws(StoreError) -> Page<Team>
    /// The members of a team, oldest account first, behind `after`; empty when out of scope.
    func members(of team: TeamID, after: UserID?, limit: Int, scope: Scope) async throws(StoreError) -> Page<Member>
    /// One member of a team; nil when unknown or out of scope.
    func member(_ user: UserID, of team: TeamID, scope: Scope) async throws(StoreError) -> Member?
    /// The people of a project's team as the project sees them, oldest account first, behind `after`.
    func members(
        of project: ProjectID,
        after: UserID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<ProjectMember>
    /// One person as a project sees them; nil when unknown or out of scope.
    func member(_ user: UserID, of project: ProjectID, scope: Scope) async throws(StoreError) -> ProjectMember?

    /// Gives a team another name.
    func rename(
        _ team: TeamID,
        to name: String,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict
    /// Makes an account a member, without an invitation; for `Scope.system` alone.
    func addMember(
        _ user: UserID,
        to team: TeamID,
        role: Role,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict
    /// Changes a member's role.
    func setRole(
        of user: UserID,
        in team: TeamID,
        to role: Role,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict
    /// Removes a member; the actor's own removal is leaving.
    func removeMember(
        _ user: UserID,
        from team: TeamID,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict
    /// Makes a member owner and the acting owner an administrator of the team.
    func transfer(
        _ team: TeamID,
        to heir: UserID,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict
    /// Gives a member another role in one project, or with nil the team's again.
    func setRole(
        of user: UserID,
        in project: ProjectID,
        to role: Role?,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict

    /// Begins a team's deletion: from now on its projects take no job.
    func delete(_ team: TeamID, now: Timestamp, scope: Scope, audit: AuditDraft) async throws(StoreError) -> TeamVerdict
    /// Takes a deletion back while `TeamLimits.deletionGrace` lasts; jobs that it ended stay ended.
    func restore(
        _ team: TeamID,
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict
}

/// Projects, kept durably.
package protocol ProjectStore: AnyObject {
    /// Creates a project; `conflict(field: "name")` when the team has one of that name.
    func createProject(_ project: Project, scope: Scope, audit: AuditDraft) async throws(StoreError)
    /// One project with the asker's role; nil when unknown or out of scope.
    func project(_ id: ProjectID, scope: Scope) async throws(StoreError) -> Access<Project>?
    /// Projects in scope, newest first, older than `before`.
    func projects(team: TeamID?, before: ProjectID?, limit: Int, scope: Scope) async throws(StoreError) -> Page<Project>
    /// Changes name and policy where given; nil when unknown or out of scope.
    func updateProject(
        _ id: ProjectID,
        name: String?,
        policy: AgentPolicy?,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Project?
    /// Homes a project on a worker unless it has a home already; answers with its home, nil when out of scope.
    func setHome(_ id: ProjectID, _ worker: WorkerID, scope: Scope) async throws(StoreError) -> WorkerID?
    /// Deletes a project; `conflict(field: "jobs")` while one of its jobs is not final. False when unknown.
    func deleteProject(_ id: ProjectID, scope: Scope, audit: AuditDraft) async throws(StoreError) -> Bool
}
