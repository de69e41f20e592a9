package import Core

/// Which permissions an API key's scopes carry; without a default case, so that a new permission is decided here too.
package enum KeyScopes {
    /// What a key needs for a permission.
    package enum Need: Sendable, Equatable {
        /// Nothing: every key sees its own team.
        case nothing
        /// This scope.
        case scope(KeyScope)
        /// No key has it: only people may.
        case person
    }

    /// What a key needs for `permission`.
    package static func need(for permission: Permission) -> Need {
        switch permission {
        case .teamRead: .nothing
        case .memberRead: .scope(.membersRead)
        case .projectRead: .scope(.projectsRead)
        case .jobRead: .scope(.jobsRead)
        case .workspaceRead, .workspaceWrite: .scope(.workspace)
        case .projectWrite, .projectDelete: .scope(.projectsWrite)
        case .jobRun, .jobCancel: .scope(.jobsRun)
        case .auditRead: .scope(.auditRead)
        case .teamLeave, .teamRename, .memberManage, .inviteManage, .modelKeyManage, .workerManage, .teamTransfer,
            .teamDelete, .signInPolicyManage, .teamRestore, .ownerManage, .keyManage, .keyCreate, .serviceAccountManage,
            .clientManage:
            .person
        }
    }

    /// Whether a key with `scopes` carries `permission`, as far as its role does.
    package static func carry(_ permission: Permission, _ scopes: Set<KeyScope>) -> Bool {
        switch need(for: permission) {
        case .nothing: true
        case .scope(let scope): scopes.contains(scope)
        case .person: false
        }
    }

    /// Whether somebody of `role` may give a key `scope`: they have some of what it carries.
    package static func mayGive(_ scope: KeyScope, role: Role) -> Bool {
        Permission.allCases.contains { need(for: $0) == .scope(scope) && Permissions.allows(role: role, $0) }
    }

    /// What belongs to the team as a whole, which a key that is limited to projects never sees.
    package static let ofTeam: Set<KeyScope> = [.auditRead, .membersRead]
}
