import Bytes
import Core
import Testing

@testable import Store

/// The same promises, held to by PostgreSQL and by the double that other rooms test with.
@Suite struct TeamConformanceTests {
    @Test(arguments: TeamStage.Backend.allCases)
    func `of many who found teams at once with one account no more succeed than it may own`(
        _ backend: TeamStage.Backend
    ) async throws {
        try await TeamStage.run(backend) { stage in
            let start = try await stage.teams.memberships(of: stage.stranger.id).count
            let made = try await stage.atOnce(8) { number in try await stage.found(number, most: start + 3) }
            #expect(made.count { $0 } == 3)
            #expect(try await stage.teams.memberships(of: stage.stranger.id).count == start + 3)
            #expect(try await stage.found(8, most: nil))
            #expect(try await !stage.found(9, most: start + 4))
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `nobody raises anybody above themselves or touches someone above them`(
        _ backend: TeamStage.Backend
    ) async throws {
        try await TeamStage.run(backend) { stage in
            for actor in Role.allCases {
                for target in Role.allCases {
                    for wanted in Role.allCases {
                        let guest = stage.stranger
                        _ = try await stage.teams.removeMember(
                            guest.id,
                            from: stage.team.id,
                            scope: .system,
                            audit: .sample("x")
                        )
                        _ = try await stage.teams.addMember(
                            guest.id,
                            to: stage.team.id,
                            role: target,
                            now: World.start,
                            audit: .sample("x")
                        )
                        let expected: TeamVerdict =
                            actor < .admin || max(target, wanted) > actor
                            ? .forbidden : wanted == target ? .unchanged : .done
                        let verdict = try await stage.setRole(guest, wanted, by: stage.user(actor))
                        #expect(verdict == expected, "\(actor) makes \(target) \(wanted)")
                        let role = try await stage.roles()[guest.id]
                        #expect(role == (expected == .done ? wanted : target), "\(actor) makes \(target) \(wanted)")
                        let present = try #require(role)
                        let mayRemove = actor >= .admin && present <= actor
                        let removed = try await stage.remove(guest, by: stage.user(actor))
                        #expect(
                            removed == (mayRemove ? .done : .forbidden),
                            "\(actor) removes \(String(describing: role))"
                        )
                    }
                }
            }
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `nobody raises themselves, and everybody may lower themselves`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            for role in [Role.viewer, .member, .admin] {
                for wanted in Role.allCases where wanted > role {
                    let verdict = try await stage.setRole(stage.user(role), wanted, by: stage.user(role))
                    #expect(verdict == .forbidden, "\(role) to \(wanted)")
                }
            }
            #expect(try await stage.setRole(stage.admin, .viewer, by: stage.admin) == .done)
            #expect(try await stage.setRole(stage.admin, .admin, by: stage.admin) == .forbidden)
            #expect(try await stage.roles()[stage.admin.id] == .viewer)
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `the last owner can neither be lowered, removed, nor leave`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            #expect(try await stage.setRole(stage.owner, .admin, by: stage.owner) == .lastOwner)
            #expect(try await stage.remove(stage.owner, by: stage.owner) == .lastOwner)
            let byMachine = try await stage.teams.removeMember(
                stage.owner.id,
                from: stage.team.id,
                scope: .system,
                audit: .sample("x")
            )
            #expect(byMachine == .lastOwner)
            #expect(try await stage.setRole(stage.member, .owner, by: stage.owner) == .done)
            // A second owner who cannot sign in is none.
            try await stage.disable(stage.member)
            #expect(try await stage.remove(stage.owner, by: stage.owner) == .lastOwner)
            #expect(try await stage.setRole(stage.admin, .owner, by: stage.owner) == .done)
            #expect(try await stage.remove(stage.owner, by: stage.owner) == .done)
            #expect(
                try await stage.roles() == [
                    stage.member.id: .owner, stage.admin.id: .owner, stage.viewer.id: .viewer,
                ]
            )
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `a team is handed over in one act`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            func transfer(to heir: User, by actor: User) async throws -> TeamVerdict {
                try await stage.teams.transfer(
                    stage.team.id,
                    to: heir.id,
                    scope: .user(actor.id),
                    audit: .sample("team.transferred", team: stage.team.id)
                )
            }
            #expect(try await transfer(to: stage.admin, by: stage.admin) == .forbidden)
            #expect(try await transfer(to: stage.stranger, by: stage.owner) == .unknownMember)
            #expect(try await transfer(to: stage.owner, by: stage.owner) == .unchanged)
            #expect(try await transfer(to: stage.member, by: stage.stranger) == .unknown)
            #expect(try await transfer(to: stage.member, by: stage.owner) == .done)
            let roles = try await stage.roles()
            #expect(roles[stage.member.id] == .owner && roles[stage.owner.id] == .admin)
            #expect(try await stage.acts().last == "team.transferred")
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `only what was done is recorded`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            let before = try await stage.acts()
            #expect(before == ["team.created", "member.added", "member.added", "member.added"])
            #expect(try await stage.setRole(stage.viewer, .member, by: stage.viewer) == .forbidden)
            #expect(try await stage.setRole(stage.viewer, .viewer, by: stage.admin) == .unchanged)
            #expect(try await stage.remove(stage.stranger, by: stage.admin) == .unknownMember)
            #expect(try await stage.acts() == before)
            #expect(try await stage.remove(stage.viewer, by: stage.viewer) == .done)
            #expect(try await stage.acts() == before + ["member.removed"])
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `a project gives members another role, up to the actor's own there`(_ backend: TeamStage.Backend) async throws
    {
        try await TeamStage.run(backend) { stage in
            func seen(_ user: User) async throws -> ProjectMember? {
                try await stage.teams.member(user.id, of: stage.project, scope: .user(stage.viewer.id))
            }
            #expect(try await stage.setProjectRole(stage.viewer, .admin, by: stage.member) == .forbidden)
            #expect(try await stage.setProjectRole(stage.viewer, .admin, by: stage.stranger) == .unknown)
            #expect(try await stage.setProjectRole(stage.stranger, .admin, by: stage.admin) == .unknownMember)
            #expect(try await stage.setProjectRole(stage.owner, .viewer, by: stage.admin) == .forbidden)
            #expect(try await stage.setProjectRole(stage.owner, .viewer, by: stage.owner) == .ownerFixed)
            #expect(try await stage.setProjectRole(stage.viewer, .admin, by: stage.admin) == .done)
            #expect(try await stage.setProjectRole(stage.viewer, .admin, by: stage.admin) == .unchanged)
            #expect(try await seen(stage.viewer)?.role == .admin)
            #expect(try await seen(stage.viewer)?.teamRole == .viewer)
            // The viewer is an administrator of the project now; of the team as little as before.
            #expect(try await stage.setProjectRole(stage.member, .viewer, by: stage.viewer) == .done)
            #expect(try await stage.setRole(stage.member, .viewer, by: stage.viewer) == .forbidden)
            #expect(try await stage.setProjectRole(stage.admin, .viewer, by: stage.viewer) == .done)
            // Who was lowered cannot take it back.
            #expect(try await stage.setProjectRole(stage.admin, nil, by: stage.admin) == .forbidden)
            #expect(try await stage.setProjectRole(stage.admin, nil, by: stage.owner) == .done)
            #expect(try await seen(stage.admin)?.ownRole == nil)
            let page = try await stage.teams.members(
                of: stage.project,
                after: nil,
                limit: 3,
                scope: .user(stage.owner.id)
            )
            #expect(page.items.count == 3 && page.hasMore)
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `a role in a project goes with the membership and with ownership`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            for user in [stage.viewer, stage.member] {
                #expect(try await stage.setProjectRole(user, .admin, by: stage.owner) == .done)
            }
            #expect(try await stage.remove(stage.viewer, by: stage.owner) == .done)
            _ = try await stage.teams.addMember(
                stage.viewer.id,
                to: stage.team.id,
                role: .viewer,
                now: World.start,
                audit: .sample("member.added")
            )
            #expect(try await stage.setRole(stage.member, .owner, by: stage.owner) == .done)
            #expect(try await stage.setRole(stage.member, .member, by: stage.owner) == .done)
            for user in [stage.viewer, stage.member] {
                let seen = try await stage.teams.member(user.id, of: stage.project, scope: .user(stage.owner.id))
                #expect(seen != nil && seen?.ownRole == nil)
            }
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `people and teams are listed in pages, to members alone`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            let everybody = [stage.owner, stage.admin, stage.member, stage.viewer].map(\.id).sorted()
            let first = try await stage.teams.members(
                of: stage.team.id,
                after: nil,
                limit: 3,
                scope: .user(stage.viewer.id)
            )
            let second = try await stage.teams.members(
                of: stage.team.id,
                after: first.items.last?.user.id,
                limit: 3,
                scope: .user(stage.viewer.id)
            )
            #expect((first.items + second.items).map(\.user.id) == everybody)
            #expect(first.hasMore && !second.hasMore)
            let hidden = try await stage.teams.members(
                of: stage.team.id,
                after: nil,
                limit: 3,
                scope: .user(stage.stranger.id)
            )
            #expect(hidden.items.isEmpty)
            #expect(try await stage.teams.team(stage.team.id, scope: .user(stage.viewer.id))?.role == .viewer)
            #expect(try await stage.teams.team(stage.team.id, scope: .user(stage.stranger.id)) == nil)
            #expect(try await stage.teams.team(stage.team.id, scope: .system)?.role == .owner)
            let all = try await stage.teams.teams(after: nil, limit: 100, scope: .system)
            #expect(all.items.contains(stage.team))
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `a team is renamed by those who may`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            func rename(_ name: String, by user: User) async throws -> TeamVerdict {
                try await stage.teams.rename(
                    stage.team.id,
                    to: name,
                    scope: .user(user.id),
                    audit: .sample("team.renamed", team: stage.team.id)
                )
            }
            #expect(try await rename("x", by: stage.member) == .forbidden)
            #expect(try await rename("x", by: stage.stranger) == .unknown)
            #expect(try await rename("new", by: stage.admin) == .done)
            #expect(try await rename("new", by: stage.admin) == .unchanged)
            let names = try await stage.teams.memberships(of: stage.viewer.id).map(\.team.name)
            #expect(names.contains("new"))
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `a deletion closes the team, and an owner takes it back within a week`(
        _ backend: TeamStage.Backend
    ) async throws {
        try await TeamStage.run(backend) { stage in
            let teams = stage.teams
            func delete(by user: User) async throws -> TeamVerdict {
                try await teams.delete(
                    stage.team.id,
                    now: World.start,
                    scope: .user(user.id),
                    audit: .sample("team.deleted", team: stage.team.id)
                )
            }
            func restore(after seconds: Int, by user: User) async throws -> TeamVerdict {
                try await teams.restore(
                    stage.team.id,
                    now: World.start.adding(seconds: seconds),
                    scope: .user(user.id),
                    audit: .sample("team.restored", team: stage.team.id)
                )
            }
            let week = 7 * 86_400
            #expect(try await restore(after: 0, by: stage.owner) == .unchanged)
            #expect(try await delete(by: stage.admin) == .forbidden)
            #expect(try await delete(by: stage.owner) == .done)
            #expect(try await delete(by: stage.owner) == .unchanged)
            let closing = try await teams.team(stage.team.id, scope: .user(stage.viewer.id))
            #expect(closing?.isClosing == true && closing?.value.deletedAt == World.start)
            #expect(closing?.value.purgeAt == World.start.adding(seconds: week))
            #expect(try await stage.setRole(stage.viewer, .member, by: stage.admin) == .closing)
            #expect(try await stage.setProjectRole(stage.viewer, .member, by: stage.admin) == .closing)
            #expect(try await stage.remove(stage.viewer, by: stage.admin) == .closing)
            #expect(try await stage.invite(1, by: stage.admin).verdict == .closing)
            #expect(try await stage.remove(stage.viewer, by: stage.viewer) == .done)
            #expect(try await restore(after: 60, by: stage.admin) == .forbidden)
            #expect(try await restore(after: week, by: stage.owner) == .unknown)
            #expect(try await restore(after: week - 1, by: stage.owner) == .done)
            #expect(try await stage.setRole(stage.member, .viewer, by: stage.admin) == .done)
        }
    }
}
