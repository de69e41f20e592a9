import Bytes
import Core
import Testing

@testable import Store

/// The same promises, held to by PostgreSQL and by the double that other rooms test with.
@Suite struct FactorConformanceTests {
    @Test(arguments: FactorStage.Backend.allCases)
    func `a secret is a factor once it is confirmed, and until then another may take its place`(
        _ backend: FactorStage.Backend
    ) async throws {
        try await FactorStage.run(backend) { stage in
            let (factors, user) = (stage.factors, stage.user)
            #expect(try await factors.factors(of: user).isEnrolled == false)
            #expect(try await factors.attemptCode(of: user, now: World.start) == .none)
            let (first, second) = (stage.sealed, stage.sealed)
            #expect(try await factors.beginTOTP(user, sealed: first, now: World.start))
            let later = World.start.adding(seconds: 5)
            #expect(try await factors.beginTOTP(user, sealed: second, now: later))
            #expect(try await factors.factors(of: user).isEnrolled == false)
            guard case .open(let factor, 1) = try await factors.attemptCode(of: user, now: later) else {
                Issue.record("no attempt")
                return
            }
            #expect(factor.secret == StoredSecret(place: TOTPFactor.place(of: user), sealed: second))
            #expect(factor.begunAt == later && !factor.isConfirmed && factor.lastStep == nil)
            // A code that was judged by the first secret confirms nothing.
            func confirm(_ begunAt: Timestamp) async throws -> [SignInID]? {
                try await factors.confirmTOTP(
                    user,
                    step: 7,
                    begunAt: begunAt,
                    recoveryHashes: [stage.hash(1)],
                    keeping: nil,
                    notice: stage.notice(at: later),
                    audit: .sample("factor.enabled")
                )
            }
            #expect(try await factors.acceptCode(of: user, step: 8) == false)
            #expect(try await confirm(World.start) == nil)
            #expect(try await confirm(later) == [])
            #expect(try await confirm(later) == nil)
            let present = SecondFactors(totpSince: later, passkeys: 0, recoveryCodes: 1)
            #expect(try await factors.factors(of: user) == present)
            #expect(try await factors.beginTOTP(user, sealed: stage.sealed, now: later) == false)
            #expect(try await factors.factors(of: stage.other).isEnrolled == false)
            #expect(try await stage.acts() == ["factor.enabled"])
            #expect(try await stage.notices(of: user) == [.factorEnabled])
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `item 34: a step is accepted once, and no earlier one after it`(_ backend: FactorStage.Backend) async throws {
        try await FactorStage.run(backend) { stage in
            try await stage.enrol(stage.user)
            let accept = { (step: Int64) in try await stage.factors.acceptCode(of: stage.user, step: step) }
            // The step that confirmed it is used.
            #expect(try await accept(100) == false)
            #expect(try await accept(99) == false)
            let verdicts = try await stage.world.atOnce(20) { _ in
                try await stage.factors.acceptCode(of: stage.user, step: 101)
            }
            #expect(verdicts.count { $0 } == 1)
            #expect(try await accept(101) == false)
            #expect(try await accept(102))
            #expect(try await stage.factors.acceptCode(of: stage.other, step: 102) == false)
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `item 36: from the fifth wrong code the waits double, and an accepted code ends them`(
        _ backend: FactorStage.Backend
    ) async throws {
        try await FactorStage.run(backend) { stage in
            try await stage.enrol(stage.user)
            try await stage.enrol(stage.other)
            var now = World.start
            func attempt(_ user: UserID) async throws -> CodeAttempt {
                try await stage.factors.attemptCode(of: user, now: now)
            }
            for number in 1...5 {
                guard case .open(_, number) = try await attempt(stage.user) else {
                    Issue.record("attempt \(number)")
                    return
                }
            }
            for (number, seconds) in [(6, 1), (7, 2), (8, 4), (9, 8)] {
                #expect(try await attempt(stage.user) == .heldUp(.seconds(seconds)))
                now = now.adding(.milliseconds(seconds * 1000 - 1))
                #expect(try await attempt(stage.user) == .heldUp(.milliseconds(1)))
                now = now.adding(.milliseconds(1))
                guard case .open(_, number) = try await attempt(stage.user) else {
                    Issue.record("attempt \(number)")
                    return
                }
            }
            guard case .open(_, failures: 1) = try await attempt(stage.other) else {
                Issue.record("another account is held up")
                return
            }
            // A clock that has gone back further than the longest wait holds nobody up.
            now = World.start.adding(seconds: -3_600)
            guard case .open = try await attempt(stage.user) else {
                Issue.record("held up by a clock")
                return
            }
            #expect(try await stage.factors.acceptCode(of: stage.user, step: 101))
            guard case .open(_, failures: 1) = try await attempt(stage.user) else {
                Issue.record("the wrong codes are not forgotten")
                return
            }
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `item 36: of fifty codes at once no more are looked at than of fifty one after the other`(
        _ backend: FactorStage.Backend
    ) async throws {
        try await FactorStage.run(backend) { stage in
            try await stage.enrol(stage.user)
            let attempts = try await stage.world.atOnce(50) { _ in
                try await stage.factors.attemptCode(of: stage.user, now: World.start)
            }
            #expect(attempts.count { if case .open = $0 { true } else { false } } == FactorBackoff.free)
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `item 37: a recovery code works once, its number left is told, and new codes kill the old`(
        _ backend: FactorStage.Backend
    ) async throws {
        try await FactorStage.run(backend) { stage in
            let (factors, user) = (stage.factors, stage.user)
            func use(_ number: UInt8, _ user: UserID) async throws -> Int? {
                try await factors.useRecoveryCode(
                    of: user,
                    hash: stage.hash(number),
                    notice: stage.notice(.recoveryUsed),
                    audit: .sample("recovery.used")
                )
            }
            func replace(_ user: UserID) async throws -> Bool {
                try await factors.replaceRecoveryCodes(
                    of: user,
                    hashes: (11...20).map(stage.hash),
                    audit: .sample("recovery.replaced")
                )
            }
            #expect(try await replace(user) == false)
            try await stage.enrol(user)
            for _ in 1...5 { _ = try await factors.attemptCode(of: user, now: World.start) }
            let left = try await stage.world.atOnce(10) { _ in try await use(1, user) }
            #expect(left.compactMap(\.self) == [9])
            #expect(try await use(2, user) == 8)
            #expect(try await use(21, user) == nil)
            #expect(try await use(3, stage.other) == nil)
            #expect(try await factors.factors(of: user).recoveryCodes == 8)
            guard case .open(_, failures: 1) = try await factors.attemptCode(of: user, now: World.start) else {
                Issue.record("a recovery code does not end the waits")
                return
            }
            #expect(try await replace(user))
            #expect(try await use(3, user) == nil)
            #expect(try await use(11, user) == 9)
            #expect(
                try await stage.acts() == [
                    "factor.enabled", "recovery.used", "recovery.used", "recovery.replaced", "recovery.used",
                ]
            )
            #expect(
                try await stage.notices(of: user) == [.factorEnabled, .recoveryUsed, .recoveryUsed, .recoveryUsed]
            )
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `item 24: a change of factors ends the person's other sign-ins and nobody else's`(
        _ backend: FactorStage.Backend
    ) async throws {
        try await FactorStage.run(backend) { stage in
            let user = stage.user
            let (kept, lost) = (try await stage.signIn(of: user), try await stage.signIn(of: user))
            let stranger = try await stage.signIn(of: stage.other)
            #expect(try await stage.enrol(user, keeping: kept) == [lost])
            #expect(try await stage.stands(kept, of: user))
            #expect(try await stage.stands(lost, of: user) == false)
            #expect(try await stage.stands(stranger, of: stage.other))
            let second = try await stage.signIn(of: user)
            #expect(
                try await stage.add(stage.passkey(1), 50, keeping: kept) == .added(tookCodes: false, ended: [second])
            )
            func remove() async throws -> [SignInID]? {
                try await stage.factors.removeTOTP(
                    user,
                    keeping: kept,
                    notice: stage.notice(.factorDisabled),
                    audit: .sample("factor.disabled")
                )
            }
            let third = try await stage.signIn(of: user)
            #expect(try await remove() == [third])
            #expect(try await remove() == nil)
            // The passkey is still there, and with it the recovery codes.
            let present = SecondFactors(totpSince: nil, passkeys: 1, recoveryCodes: 10)
            #expect(try await stage.factors.factors(of: user) == present)
            let fourth = try await stage.signIn(of: user)
            let ended = try await stage.passkeys.removePasskey(
                stage.passkey(1).id,
                of: user,
                keeping: kept,
                notice: stage.notice(.factorDisabled),
                audit: .sample("factor.disabled")
            )
            #expect(ended == nil, "another id of the same number")
            let id = try #require(try await stage.passkeys.passkeys(of: user).first?.id)
            let removed = try await stage.passkeys.removePasskey(
                id,
                of: user,
                keeping: kept,
                notice: stage.notice(.factorDisabled),
                audit: .sample("factor.disabled")
            )
            #expect(removed == [fourth])
            #expect(
                try await stage.factors.factors(of: user)
                    == SecondFactors(totpSince: nil, passkeys: 0, recoveryCodes: 0)
            )
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `an administrator's reset takes everything away and ends every sign-in`(
        _ backend: FactorStage.Backend
    ) async throws {
        try await FactorStage.run(backend) { stage in
            func reset() async throws -> [SignInID]? {
                try await stage.factors.resetFactors(
                    of: stage.user,
                    notice: stage.notice(.factorDisabled),
                    audit: .sample("factor.disabled")
                )
            }
            #expect(try await reset() == nil)
            try await stage.enrol(stage.user)
            _ = try await stage.add(stage.passkey(1), 50)
            let signIn = try await stage.signIn(of: stage.user)
            #expect(try await reset() == [signIn])
            #expect(
                try await stage.factors.factors(of: stage.user)
                    == SecondFactors(totpSince: nil, passkeys: 0, recoveryCodes: 0)
            )
            #expect(try await stage.passkeys.passkeys(of: stage.user).isEmpty)
            try await stage.enrol(stage.user)
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `a refusal is recorded, and told when it is worth it`(_ backend: FactorStage.Backend) async throws {
        try await FactorStage.run(backend) { stage in
            let audit = AuditDraft.sample("factor.refused")
            try await stage.factors.refuse(of: stage.user, notice: nil, audit: audit)
            #expect(try await stage.notices(of: stage.user).isEmpty)
            try await stage.factors.refuse(
                of: stage.user,
                notice: stage.notice(.factorRefused),
                audit: .sample("factor.refused")
            )
            #expect(try await stage.notices(of: stage.user) == [.factorRefused])
            #expect(try await stage.acts() == ["factor.refused", "factor.refused"])
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `an owner with a factor may demand one of the team, and others may not`(
        _ backend: FactorStage.Backend
    ) async throws {
        try await FactorStage.run(backend) { stage in
            func set(_ isRequired: Bool, by user: UserID) async throws -> FactorPolicyVerdict {
                try await stage.factors.setFactorPolicy(
                    stage.team,
                    isRequired: isRequired,
                    scope: .user(user),
                    audit: .sample("team.factor_policy_changed", team: stage.team)
                )
            }
            #expect(try await set(true, by: stage.other) == .unknown)
            #expect(try await set(true, by: stage.user) == .unenrolled)
            #expect(try await stage.factors.holdsBack(stage.user, from: .team(stage.team)) == false)
            try await stage.enrol(stage.user)
            #expect(try await set(true, by: stage.user) == .done)
            #expect(try await set(true, by: stage.user) == .unchanged)
            #expect(try await stage.factors.holdsBack(stage.user, from: .team(stage.team)) == false)
            _ = try await stage.factors.resetFactors(
                of: stage.user,
                notice: stage.notice(.factorDisabled),
                audit: .sample("factor.disabled")
            )
            #expect(try await stage.factors.holdsBack(stage.user, from: .team(stage.team)))
            #expect(try await stage.factors.holdsBack(stage.other, from: .team(stage.team)) == false)
            #expect(try await set(false, by: stage.user) == .done)
            #expect(try await stage.factors.holdsBack(stage.user, from: .team(stage.team)) == false)
        }
    }
}
