import Auth
import Core
import Testing

struct KeyScopesTests {
    private static let table: [KeyScope: Set<Permission>] = [
        .jobsRead: [.jobRead], .jobsRun: [.jobRun, .jobCancel], .projectsRead: [.projectRead],
        .projectsWrite: [.projectWrite, .projectDelete], .workspace: [.workspaceRead, .workspaceWrite],
        .auditRead: [.auditRead], .membersRead: [.memberRead],
    ]

    @Test(arguments: KeyScope.allCases)
    func `item 14: each scope carries exactly its permissions`(scope: KeyScope) {
        let carried = Permission.allCases.filter { KeyScopes.carry($0, [scope]) }
        #expect(Set(carried) == (Self.table[scope] ?? []).union([.teamRead]))
    }

    @Test func `item 52: no key makes keys, accounts, members or owners, whatever its scopes`() {
        let all = Set(KeyScope.allCases)
        let never = Permission.allCases.filter { !KeyScopes.carry($0, all) }
        #expect(
            Set(never) == [
                .teamLeave, .keyManage, .keyCreate, .teamRename, .memberManage, .inviteManage, .modelKeyManage,
                .serviceAccountManage,
                .clientManage, .workerManage, .teamTransfer, .teamDelete, .teamRestore, .signInPolicyManage,
                .ownerManage,
            ]
        )
        for permission in never { #expect(KeyScopes.need(for: permission) == .person) }
    }

    @Test(arguments: [
        (Role.viewer, Set<KeyScope>([.jobsRead, .projectsRead, .workspace, .membersRead])),
        (.member, Set(KeyScope.allCases).subtracting([.auditRead])),
        (.admin, Set(KeyScope.allCases)), (.owner, Set(KeyScope.allCases)),
    ])
    func `item 51: nobody gives a key a scope of which they have nothing`(role: Role, scopes: Set<KeyScope>) {
        #expect(Set(KeyScope.allCases.filter { KeyScopes.mayGive($0, role: role) }) == scopes)
    }
}
