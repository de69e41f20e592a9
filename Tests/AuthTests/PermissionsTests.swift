import Auth
import Core
import Testing

struct PermissionsTests {
    private static let table: [(Permission, [Role])] = [
        (.teamRead, [.viewer, .member, .admin, .owner]), (.projectRead, [.viewer, .member, .admin, .owner]),
        (.jobRead, [.viewer, .member, .admin, .owner]), (.workspaceRead, [.viewer, .member, .admin, .owner]),
        (.projectWrite, [.member, .admin, .owner]), (.workspaceWrite, [.member, .admin, .owner]),
        (.jobRun, [.member, .admin, .owner]), (.jobCancel, [.member, .admin, .owner]),
        (.projectDelete, [.admin, .owner]), (.memberManage, [.admin, .owner]), (.workerManage, [.admin, .owner]),
        (.auditRead, [.admin, .owner]), (.ownerManage, [.owner]),
    ]

    @Test(arguments: table)
    func `each permission belongs to exactly these roles`(permission: Permission, roles: [Role]) {
        #expect(Role.allCases.filter { Permissions.allows(role: $0, permission) } == roles)
    }

    @Test func `the table is complete`() {
        #expect(Set(Self.table.map(\.0)) == Set(Permission.allCases))
    }
}
