package import Core

/// One thing that a member of a team may or may not do; each team-bound route names exactly one.
package enum Permission: String, Sendable, CaseIterable {
    /// See the team itself.
    case teamRead
    /// See who is in the team, and in which role.
    case memberRead
    /// See the team's projects.
    case projectRead
    /// See jobs and their logs.
    case jobRead
    /// Take a workspace out.
    case workspaceRead
    /// Leave the team.
    case teamLeave
    /// See and end one's own API keys; everybody's with the permission to manage service accounts.
    case keyManage
    /// Make and rotate API keys for oneself, never with more than one's own role.
    case keyCreate
    /// Make projects and change them.
    case projectWrite
    /// Put files into a workspace.
    case workspaceWrite
    /// Submit jobs.
    case jobRun
    /// Ask that a job end.
    case jobCancel
    /// Delete projects.
    case projectDelete
    /// Change the team's name.
    case teamRename
    /// Change members' roles, in the team or in one project, and remove members; never those above oneself.
    case memberManage
    /// Make, see and revoke invitations, up to one's own role.
    case inviteManage
    /// Set, see and remove the team's model key; nobody sees the key itself.
    case modelKeyManage
    /// Make and end service accounts, and everybody's API keys.
    case serviceAccountManage
    /// Register programs of others, and remove them.
    case clientManage
    /// Manage the team's own workers.
    case workerManage
    /// Read the team's audit log.
    case auditRead
    /// Say what the team demands of its members' sign-ins.
    case signInPolicyManage
    /// Hand the team to another member.
    case teamTransfer
    /// Delete the team.
    case teamDelete
    /// Take the deletion of the team back.
    case teamRestore
    /// Whatever only an owner decides.
    case ownerManage
}

/// The one table of permissions; `docs/permissions.md` is written from it.
package enum Permissions {
    /// Whether `role` includes `permission`.
    package static func allows(role: Role, _ permission: Permission) -> Bool { role >= least(for: permission) }

    /// Without a default case, so that a new permission does not compile until it has a row.
    private static func least(for permission: Permission) -> Role {
        switch permission {
        case .teamRead, .memberRead, .projectRead, .jobRead, .workspaceRead, .teamLeave, .keyManage, .keyCreate:
            .viewer
        case .projectWrite, .workspaceWrite, .jobRun, .jobCancel: .member
        case .projectDelete, .teamRename, .memberManage, .inviteManage, .modelKeyManage, .serviceAccountManage,
            .clientManage, .workerManage, .auditRead:
            .admin
        case .signInPolicyManage, .teamTransfer, .teamDelete, .teamRestore, .ownerManage: .owner
        }
    }

    /// Whether a permission still counts while its team is being deleted: what only looks, ends, or goes back.
    package static func holdsDuringDeletion(_ permission: Permission) -> Bool {
        switch permission {
        case .teamRead, .memberRead, .projectRead, .jobRead, .workspaceRead, .auditRead: true
        case .teamLeave, .teamDelete, .teamRestore, .jobCancel, .keyManage: true
        case .projectWrite, .workspaceWrite, .jobRun, .projectDelete, .keyCreate: false
        case .teamRename, .memberManage, .inviteManage, .modelKeyManage, .serviceAccountManage, .workerManage: false
        case .clientManage: false
        case .signInPolicyManage, .teamTransfer, .ownerManage: false
        }
    }
}
