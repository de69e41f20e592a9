import Bytes
import Core
import Testing

@testable import Store

@Suite struct RefreshTests {
    private static let window = Duration.seconds(30)

    private static func refresh(
        _ world: World,
        _ token: [UInt8],
        successor: [UInt8] = Family.token(),
        after seconds: Int = 0,
        window: Duration = RefreshTests.window,
        client: String = SignIn.ownClient
    ) async throws -> RefreshOutcome {
        try await world.store.accounts.refresh(
            presented: token,
            successorHash: successor,
            sealedSuccessor: [0xee] + successor,
            client: client,
            address: "203.0.113.9",
            userAgent: "test/2",
            now: World.start.adding(seconds: seconds),
            window: window,
            audit: .sample("token.reuse_detected")
        )
    }

    private static func name(_ outcome: RefreshOutcome) -> String {
        switch outcome {
        case .rotated: "rotated"
        case .replayed: "replayed"
        case .reused: "reused"
        case .refused: "refused"
        }
    }

    @Test func `fifty refreshes at once make one generation, and all get the same successor`() async throws {
        try await withWorld { world in
            let family = try await Family(world, try await world.person())
            let successors = (0..<50).map { _ in Family.token() }
            let outcomes = try await world.atOnce(50) { index in
                try await Self.refresh(world, family.first, successor: successors[index])
            }
            let winners = outcomes.indices.filter { Self.name(outcomes[$0]) == "rotated" }
            #expect(winners.count == 1)
            let winner = try #require(winners.first)
            for (index, outcome) in outcomes.enumerated() where index != winner {
                guard case .replayed(let signIn, let sealed) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(signIn.id == family.signIn.id)
                #expect(sealed == [0xee] + successors[winner])
            }
            #expect(Self.name(try await Self.refresh(world, successors[winner])) == "rotated")
        }
    }

    @Test func `the direct parent is forgiven within its window, which a replay does not move`() async throws {
        try await withWorld { world in
            let family = try await Family(world, try await world.person())
            #expect(Self.name(try await Self.refresh(world, family.first, after: 10)) == "rotated")
            #expect(Self.name(try await Self.refresh(world, family.first, after: 39)) == "replayed")
            #expect(Self.name(try await Self.refresh(world, family.first, after: 40)) == "reused")
            #expect(Self.name(try await Self.refresh(world, family.first, after: 41)) == "refused")
            #expect(try await !world.store.accounts.isActive(family.signIn.id, now: World.start.adding(seconds: 41)))
        }
    }

    @Test func `an older generation ends the family at any time`() async throws {
        try await withWorld { world in
            let family = try await Family(world, try await world.person())
            let (second, third) = (Family.token(), Family.token())
            #expect(Self.name(try await Self.refresh(world, family.first, successor: second)) == "rotated")
            #expect(Self.name(try await Self.refresh(world, second, successor: third)) == "rotated")
            #expect(Self.name(try await Self.refresh(world, family.first)) == "reused")
            #expect(Self.name(try await Self.refresh(world, third)) == "refused")
        }
    }

    @Test func `another client ends the family, whatever the token's generation`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            for isCurrent in [true, false] {
                let family = try await Family(world, person)
                if !isCurrent { _ = try await Self.refresh(world, family.first) }
                #expect(Self.name(try await Self.refresh(world, family.first, client: "elsewhere")) == "reused")
                #expect(try await !world.store.accounts.isActive(family.signIn.id, now: World.start))
            }
        }
    }

    @Test func `only a reused token is recorded and told, once`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let family = try await Family(world, person)
            func reuses() async throws -> Int {
                try await world.store.audit.stored(AuditChain(nil), after: .start, limit: 1_000)
                    .count { $0.action == "token.reuse_detected" }
            }
            func notices() async throws -> [Notice.Kind] {
                try await world.store.accounts.notices(of: person.user.id, limit: 10).map(\.kind)
            }
            #expect(Self.name(try await Self.refresh(world, family.first)) == "rotated")
            #expect(Self.name(try await Self.refresh(world, family.first)) == "replayed")
            #expect(Self.name(try await Self.refresh(world, Family.token())) == "refused")
            #expect(try await reuses() == 0)
            #expect(try await notices() == [.newDevice])
            for _ in 0..<3 { _ = try await Self.refresh(world, family.first, after: 40) }
            #expect(try await reuses() == 1)
            #expect(try await notices() == [.tokenReuse, .newDevice])
        }
    }

    @Test func `an unknown token, an expired sign-in and a disabled account are refused`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let family = try await Family(world, person)
            #expect(try await Self.refresh(world, Family.token()) == .refused)
            #expect(try await Self.refresh(world, family.first, after: 86_400) == .refused)
            #expect(Self.name(try await Self.refresh(world, family.first, after: 86_399)) == "rotated")
            let second = try await Family(world, person)
            #expect(try await world.store.accounts.setDisabled(person.user.id, true))
            #expect(try await Self.refresh(world, second.first) == .refused)
        }
    }

    /// SQL must decide under its lock; the rule is stated in Core, and both must agree.
    @Test(arguments: [0, 1, 29, 30, 31], [Duration.zero, .seconds(30)])
    func `the database judges a token as the domain does`(age: Int, window: Duration) async throws {
        try await withWorld { world in
            let person = try await world.person()
            for generation in 0..<3 {
                let family = try await Family(world, person)
                var tokens = [family.first]
                for step in 0..<2 {
                    tokens.append(Family.token())
                    _ = try await Self.refresh(world, tokens[step], successor: tokens[step + 1])
                }
                let facts = RefreshFacts(
                    isCurrent: generation == 2,
                    isParentOfCurrent: generation == 1,
                    firstUsedAt: generation == 2 ? nil : World.start,
                    isRevoked: false,
                    expiresAt: family.signIn.expiresAt
                )
                let now = World.start.adding(seconds: age)
                let expected =
                    switch RefreshVerdict.judge(facts, now: now, window: window) {
                    case .rotate: "rotated"
                    case .replay: "replayed"
                    case .revokeFamily: "reused"
                    case .refuse: "refused"
                    }
                let outcome = try await Self.refresh(world, tokens[generation], after: age, window: window)
                #expect(Self.name(outcome) == expected, "generation \(generation)")
            }
        }
    }
}
