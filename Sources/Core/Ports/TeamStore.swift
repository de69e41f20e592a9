/// Teams and memberships, kept durably.
package protocol TeamStore: AnyObject {
    /// Creates a team with its first owner.
    func createTeam(_ team: Team, owner: UserID) async throws(StoreError)
    /// The teams of a person with the role in each, oldest first.
    func memberships(of user: UserID) async throws(StoreError) -> [Membership]
    /// One team with the asker's role; nil when unknown or out of scope.
    func team(_ id: TeamID, scope: Scope) async throws(StoreError) -> Access<Team>?
    /// The members of a team with their roles, oldest first; empty when out of scope.
    func members(of team: TeamID, scope: Scope) async throws(StoreError) -> [(user: User, role: Role)]
    /// Adds a member or changes a member's role.
    func setMember(_ user: UserID, of team: TeamID, role: Role) async throws(StoreError)
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
