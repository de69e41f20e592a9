package import Core

/// One thing that a member of a team may or may not do.
package enum Permission: String, Sendable, CaseIterable {
    case teamRead
    case projectRead
    case jobRead
    case workspaceRead
    case projectWrite
    case workspaceWrite
    case jobRun
    case jobCancel
    case projectDelete
    case memberManage
    case workerManage
    case auditRead
    case ownerManage
}

/// The one table of permissions.
package enum Permissions {
    /// Whether `role` includes `permission`.
    package static func allows(role: Role, _ permission: Permission) -> Bool { role >= least(for: permission) }

    /// Without a default case, so that a new permission does not compile until it has a row.
    private static func least(for permission: Permission) -> Role {
        switch permission {
        case .teamRead, .projectRead, .jobRead, .workspaceRead: .viewer
        case .projectWrite, .workspaceWrite, .jobRun, .jobCancel: .member
        case .projectDelete, .memberManage, .workerManage, .auditRead: .admin
        case .ownerManage: .owner
        }
    }
}
