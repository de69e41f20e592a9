import Bytes
import Core
import Testing

@testable import Store

/// What an invitation promises, held to by PostgreSQL and by the double that other rooms test with.
@Suite struct InviteConformanceTests {
    @Test(arguments: TeamStage.Backend.allCases)
    func `an invitation makes one member, once`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            let (id, verdict) = try await stage.invite(1, .admin, by: stage.admin)
            #expect(verdict == .done)
            #expect(try await stage.invites.invite(tokenHash: TeamStage.hash(1))?.invitedBy == stage.admin.id)
            #expect(try await stage.accept(1, by: stage.viewer) == .alreadyMember)
            #expect(try await stage.accept(1, by: stage.stranger) == .done)
            #expect(try await stage.roles()[stage.stranger.id] == .admin)
            #expect(try await stage.accept(1, by: stage.stranger) == .unknownInvite)
            let stored = try #require(try await stage.invites.invite(tokenHash: TeamStage.hash(1)))
            #expect(stored.id == id && stored.acceptedBy == stage.stranger.id)
            #expect(stored.state(at: World.start.adding(seconds: 2)) == .accepted)
            #expect(try await stage.acts().suffix(2) == ["invite.created", "invite.accepted"])
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `its role is never above the inviter's`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            var number: UInt8 = 0
            for actor in Role.allCases {
                for role in Role.allCases {
                    number += 1
                    let verdict = try await stage.invite(number, role, by: stage.user(actor)).verdict
                    #expect(verdict == (actor >= .admin && role <= actor ? .done : .forbidden), "\(actor): \(role)")
                }
            }
            #expect(try await stage.invite(99, .viewer, by: stage.stranger).verdict == .unknown)
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `one answer for every invitation that cannot be used`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            let guest = stage.stranger
            #expect(try await stage.accept(1, by: guest) == .unknownInvite)
            _ = try await stage.invite(2, lasts: 60, by: stage.admin)
            #expect(try await stage.accept(2, by: guest, after: 60) == .unknownInvite)
            _ = try await stage.invite(3, email: "somebody@example.org", by: stage.admin)
            #expect(try await stage.accept(3, by: guest) == .unknownInvite)
            let (revoked, _) = try await stage.invite(4, by: stage.admin)
            let end = try await stage.invites.revoke(
                revoked,
                of: stage.team.id,
                now: World.start,
                scope: .user(stage.admin.id),
                audit: .sample("invite.revoked", team: stage.team.id)
            )
            #expect(end == .done)
            #expect(try await stage.accept(4, by: guest) == .unknownInvite)
            // The one who invited may not do so any more.
            _ = try await stage.invite(5, .admin, by: stage.admin)
            #expect(try await stage.setRole(stage.admin, .member, by: stage.owner) == .done)
            #expect(try await stage.accept(5, by: guest) == .unknownInvite)
            #expect(try await stage.roles()[guest.id] == nil)
            // The control: the address that it is for, in time.
            _ = try await stage.invite(6, email: guest.email, lasts: 60, by: stage.owner)
            #expect(try await stage.accept(6, by: guest, after: 59) == .done)
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `invitations are listed newest first and revoked up to one's own role`(
        _ backend: TeamStage.Backend
    ) async throws {
        try await TeamStage.run(backend) { stage in
            let theirs = try await stage.invite(1, .owner, by: stage.owner).id
            let mine = try await stage.invite(2, .admin, by: stage.admin).id
            func revoke(_ invite: InviteID, by user: User) async throws -> TeamVerdict {
                try await stage.invites.revoke(
                    invite,
                    of: stage.team.id,
                    now: World.start,
                    scope: .user(user.id),
                    audit: .sample("invite.revoked", team: stage.team.id)
                )
            }
            func listed(_ user: User) async throws -> [InviteID] {
                let page = try await stage.invites.invites(
                    of: stage.team.id,
                    before: nil,
                    limit: 9,
                    scope: .user(user.id)
                )
                return page.items.map(\.id)
            }
            #expect(try await listed(stage.admin) == [mine, theirs])
            #expect(try await listed(stage.stranger).isEmpty)
            #expect(try await revoke(theirs, by: stage.admin) == .forbidden)
            #expect(try await revoke(mine, by: stage.member) == .forbidden)
            #expect(try await revoke(mine, by: stage.stranger) == .unknown)
            #expect(try await revoke(mine, by: stage.admin) == .done)
            #expect(try await revoke(mine, by: stage.admin) == .unknownInvite)
            #expect(try await revoke(theirs, by: stage.owner) == .done)
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `a deleted team's invitation is not there, and is again when it comes back`(
        _ backend: TeamStage.Backend
    ) async throws {
        try await TeamStage.run(backend) { stage in
            _ = try await stage.invite(1, by: stage.admin)
            let scope = Scope.user(stage.owner.id)
            _ = try await stage.teams.delete(stage.team.id, now: World.start, scope: scope, audit: .sample("x"))
            #expect(try await stage.accept(1, by: stage.stranger) == .unknownInvite)
            _ = try await stage.teams.restore(stage.team.id, now: World.start, scope: scope, audit: .sample("x"))
            #expect(try await stage.accept(1, by: stage.stranger) == .done)
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `one address is mailed so many invitations an hour, and then none is made`(
        _ backend: TeamStage.Backend
    ) async throws {
        try await TeamStage.run(backend) { stage in
            let address = "guest@example.org"
            for number in 1...5 {
                let verdict = try await stage.mail(UInt8(number), to: address, by: stage.admin)
                #expect(verdict == .done)
            }
            let sixth = try await stage.mail(6, to: address, by: stage.owner)
            let unmade = try await stage.invites.invite(tokenHash: TeamStage.hash(6))
            #expect(sixth == .mailLimit && unmade == nil)
            // The controls: somebody else, an invitation that is handed over, and the next hour.
            let others = try await stage.mail(7, to: "other@example.org", by: stage.admin)
            let handed = try await stage.invite(8, email: address, by: stage.admin).verdict
            let later = try await stage.mail(9, to: address, by: stage.admin, after: 3_700)
            #expect(others == .done && handed == .done && later == .done)
            let refused = try await stage.mail(10, to: address, by: stage.member)
            #expect(refused == .forbidden)
        }
    }

    @Test(arguments: TeamStage.Backend.allCases)
    func `a team mails fifty invitations an hour`(_ backend: TeamStage.Backend) async throws {
        try await TeamStage.run(backend) { stage in
            for number in 1...50 {
                let verdict = try await stage.mail(UInt8(number), to: "guest\(number)@example.org", by: stage.admin)
                #expect(verdict == .done)
            }
            #expect(try await stage.mail(51, to: "guest51@example.org", by: stage.owner) == .mailLimit)
            #expect(try await stage.invite(52, by: stage.owner).verdict == .done)
        }
    }
}
