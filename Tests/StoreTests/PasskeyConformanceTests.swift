import Bytes
import Core
import Testing

@testable import Store

/// The same promises, held to by PostgreSQL and by the double that other rooms test with.
@Suite struct PasskeyConformanceTests {
    @Test(arguments: FactorStage.Backend.allCases)
    func `a passkey is kept as it came, once, for one person`(_ backend: FactorStage.Backend) async throws {
        try await FactorStage.run(backend) { stage in
            let passkey = stage.passkey(1, signCount: .max)
            let added = try await stage.add(passkey, 50)
            #expect(added == .added(tookCodes: true, ended: []))
            #expect(try await stage.passkeys.passkeys(of: stage.user) == [passkey])
            #expect(try await stage.passkeys.passkey(credentialID: passkey.credentialID) == passkey)
            #expect(try await stage.passkeys.passkey(credentialID: [1]) == nil)
            #expect(try await stage.passkeys.passkeys(of: stage.other).isEmpty)
            let present = SecondFactors(totpSince: nil, passkeys: 1, recoveryCodes: 10)
            #expect(try await stage.factors.factors(of: stage.user) == present)
            #expect(try await stage.add(stage.passkey(2), 50) == .spent)
            #expect(try await stage.add(stage.passkey(1), 51) == .taken)
            #expect(try await stage.add(stage.passkey(1, of: stage.other), 52) == .taken)
            #expect(try await stage.add(stage.passkey(2), 53) == .added(tookCodes: false, ended: []))
            #expect(try await stage.acts() == ["factor.enabled", "factor.enabled"])
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `a person has twenty passkeys at most`(_ backend: FactorStage.Backend) async throws {
        try await FactorStage.run(backend) { stage in
            for number in 1...UInt8(PasskeyLimits.perPerson) {
                guard case .added = try await stage.add(stage.passkey(number), 100 + number) else {
                    Issue.record("\(number)")
                    return
                }
            }
            #expect(try await stage.add(stage.passkey(99), 99) == .full)
            let other = try await stage.add(stage.passkey(98, of: stage.other), 98)
            #expect(other == .added(tookCodes: true, ended: []))
            let listed = try await stage.passkeys.passkeys(of: stage.user).map(\.name)
            #expect(listed == (1...PasskeyLimits.perPerson).map { "key \($0)" })
        }
    }

    @Test(arguments: FactorStage.Backend.allCases)
    func `a challenge counts once, also of many at once, and a counter must grow`(
        _ backend: FactorStage.Backend
    ) async throws {
        try await FactorStage.run(backend) { stage in
            let (counts, none) = (stage.passkey(1, signCount: 5), stage.passkey(2))
            _ = try await stage.add(counts, 50)
            _ = try await stage.add(none, 51)
            func use(_ passkey: Passkey, _ count: UInt32, _ challenge: UInt8) async throws -> PasskeyUse {
                try await stage.passkeys.usePasskey(
                    passkey.id,
                    signCount: count,
                    isBackedUp: true,
                    answering: stage.challenge(challenge),
                    now: World.start.adding(seconds: 9)
                )
            }
            let uses = try await stage.world.atOnce(10) { _ in try await use(counts, 6, 60) }
            #expect(uses.count { $0 == .used } == 1 && uses.count { $0 == .spent } == 9)
            for (count, number, verdict) in [
                (UInt32(6), UInt8(61), PasskeyUse.counter), (5, 62, .counter), (0, 63, .counter), (7, 64, .used),
                (.max, 65, .used), (.max, 66, .counter),
            ] {
                #expect(try await use(counts, count, number) == verdict, "\(count)")
            }
            for (count, number, verdict) in [
                (UInt32(0), UInt8(70), PasskeyUse.used), (0, 71, .used), (1, 72, .used), (0, 73, .counter),
            ] {
                #expect(try await use(none, count, number) == verdict, "\(count)")
            }
            #expect(try await use(stage.passkey(3), 1, 80) == .unknown)
            let now = try #require(try await stage.passkeys.passkey(credentialID: counts.credentialID))
            #expect(now.signCount == .max && now.isBackedUp && now.lastUsedAt == World.start.adding(seconds: 9))
        }
    }

    @Test func `challenges that ended are not remembered`() async throws {
        try await FactorStage.run(.postgres) { stage in
            let passkey = stage.passkey(1)
            _ = try await stage.add(passkey, 50)
            for (number, seconds) in [(UInt8(60), 0), (61, 400)] {
                let use = try await stage.passkeys.usePasskey(
                    passkey.id,
                    signCount: 0,
                    isBackedUp: false,
                    answering: stage.challenge(number, lasts: 300 + seconds),
                    now: World.start.adding(seconds: seconds)
                )
                #expect(use == .used)
            }
            let session = try await PostgresConnection.open(ConnectionParameters(stage.world.url), on: stage.world.loop)
            defer { session.close() }
            let count = PostgresStatement("count.spent", "select count(*) from spent_challenges")
            let kept = try await session.run(PostgresGroup(.system, [count()])).at(0).first { row throws(StoreError) in
                try row.value(Int.self)
            }
            #expect(kept == 1)
        }
    }
}
