import Auth
import Core
import Testing

struct PermissionsTests {
    private static let everybody = Role.allCases
    private static let table: [(Permission, [Role])] = [
        (.teamRead, everybody), (.memberRead, everybody), (.projectRead, everybody), (.jobRead, everybody),
        (.workspaceRead, everybody), (.teamLeave, everybody), (.keyManage, everybody), (.keyCreate, everybody),
        (.serviceAccountManage, [.admin, .owner]), (.projectWrite, [.member, .admin, .owner]),
        (.workspaceWrite, [.member, .admin, .owner]), (.jobRun, [.member, .admin, .owner]),
        (.jobCancel, [.member, .admin, .owner]), (.projectDelete, [.admin, .owner]), (.teamRename, [.admin, .owner]),
        (.memberManage, [.admin, .owner]), (.inviteManage, [.admin, .owner]),
        (.modelKeyManage, [.admin, .owner]), (.workerManage, [.admin, .owner]),
        (.auditRead, [.admin, .owner]), (.teamTransfer, [.owner]), (.teamDelete, [.owner]), (.teamRestore, [.owner]),
        (.clientManage, [.admin, .owner]), (.signInPolicyManage, [.owner]), (.ownerManage, [.owner]),
    ]

    @Test(arguments: table)
    func `each permission belongs to exactly these roles`(permission: Permission, roles: [Role]) {
        #expect(Role.allCases.filter { Permissions.allows(role: $0, permission) } == roles)
    }

    @Test func `during its deletion a team can be looked at, left and taken back, and no more`() {
        let standing = Permission.allCases.filter { Permissions.holdsDuringDeletion($0) }
        let expected: Set<Permission> = [
            .teamRead, .memberRead, .projectRead, .jobRead, .workspaceRead, .auditRead, .teamLeave, .teamDelete,
            .teamRestore, .jobCancel, .keyManage,
        ]
        #expect(Set(standing) == expected)
    }

    @Test func `the table is complete`() {
        #expect(Set(Self.table.map(\.0)) == Set(Permission.allCases))
    }
}
