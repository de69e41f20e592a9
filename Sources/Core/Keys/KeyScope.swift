/// A group of permissions that an API key may carry; what its account's role does not include it does not give.
package enum KeyScope: String, Sendable, Hashable, CaseIterable {
    /// See jobs and their logs.
    case jobsRead = "jobs:read"
    /// Submit jobs and cancel them.
    case jobsRun = "jobs:run"
    /// See projects.
    case projectsRead = "projects:read"
    /// Make, change and delete projects.
    case projectsWrite = "projects:write"
    /// Put files into workspaces and take them out.
    case workspace
    /// Read the team's audit log.
    case auditRead = "audit:read"
    /// See who is in the team.
    case membersRead = "members:read"
}
