import Auth
import Bytes
import Core
import Crypto
import HTTP
import Platform
import Testing

@testable import API

@Suite struct EnumerationTests {
    private static func login(_ email: String, _ password: String, in world: APIWorld) async throws -> APIAnswer {
        try await world.send(.post, "/v1/auth/login", .form(["email": email, "password": password]))
    }

    @Test func `item 31: unknown, known and disabled accounts answer the same to a wrong and to the right password`()
        async throws
    {
        try await withAPI { world in
            let (known, disabled) = (try await world.person(), try await world.person())
            #expect(try await world.disable(disabled))
            var answers: [APIAnswer] = []
            answers.append(try await Self.login(known.user.email, "wrong password", in: world))
            answers.append(try await Self.login("nobody@example.org", "wrong password", in: world))
            answers.append(try await Self.login("not an address", "wrong password", in: world))
            answers.append(try await Self.login(disabled.user.email, "wrong password", in: world))
            answers.append(try await Self.login(disabled.user.email, APIWorld.password, in: world))
            answers.append(try await Self.login("nobody@example.org", APIWorld.password, in: world))
            #expect(Set(answers.map(\.shape)).count == 1)
            #expect(answers.first?.status == 401 && answers.first?.code == "wrong_credentials")
            #expect(try await Self.login(known.user.email, APIWorld.password, in: world).status == 200)
            let refusals = try await world.acts().filter { $0.action == "sign_in.refused" }
            #expect(refusals.count == 6 && refusals.allSatisfy { $0.actor == .stranger && $0.outcome == .refused })
            #expect(Set(refusals.map(\.target)) == [known.user.id.description, disabled.user.id.description, nil])
        }
    }

    @Test func `item 31: an account that is tried too often answers the same whether it exists or not`() async throws {
        try await withAPI { world in
            let known = try await world.person()
            var shapes: [String: [String]] = [:]
            for (email, address) in [(known.user.email, "198.51.100.1"), ("nobody@example.org", "203.0.113.1")] {
                for _ in 0..<7 {
                    let form = JSONValue.form(["email": email, "password": "wrong password"])
                    let answer = try await world.send(.post, "/v1/auth/login", form, address: address)
                    shapes[email, default: []].append(answer.shape)
                }
            }
            #expect(shapes[known.user.email] == shapes["nobody@example.org"])
            #expect(Set(shapes.values.joined().map { $0.prefix(3) }) == ["401", "429"])
        }
    }

    @Test func `item 32: an unknown account takes as long as a wrong password: medians of 500 within five per cent`()
        throws
    {
        // The same code at a cost that a test can pay a thousand times; one takes turns with the other.
        let cost = Argon2Parameters(memoryKiB: 2_048, iterations: 1, lanes: 1)
        let stored = try PasswordHash.make(
            password: [UInt8]("harbour copper lantern".utf8),
            salt: SecureRandom.bytes(PasswordHash.saltLength),
            cost
        )
        let decoy = PasswordHash.unmatchable(cost)
        var times: [[Duration]] = [[], []]
        for turn in 0..<1_000 {
            let hash = turn.isMultiple(of: 2) ? stored : decoy
            let began = Instant.now
            #expect(try !PasswordHash.verify(password: [UInt8]("wrong password".utf8), phc: hash))
            times[turn % 2].append(Instant.now - began)
        }
        let medians = times.map { $0.sorted()[$0.count / 2] }
        let ratio = medians[0] / medians[1]
        #expect((0.95...1.05).contains(ratio), "\(medians)")
        // What is checked in place of an unknown account's hash costs what today's hashes do.
        #expect(!PasswordCheck.needsRehash(PasswordCheck.decoy))
    }

    @Test func `item 32: through the operation an unknown account is not told by its time`() async throws {
        try await withAPI { world in
            world.rates = RateSettings(anonymousRequestsPerSecond: 10_000, signInsPerMinute: 10_000)
            let replica = world.addReplica()
            let known = try await world.person()
            var times: [[Duration]] = [[], []]
            for turn in 0..<40 {
                let email = turn.isMultiple(of: 2) ? known.user.email : "nobody@example.org"
                let began = Instant.now
                let form = JSONValue.form(["email": email, "password": "wrong password"])
                // An address of its own each: who fails often waits.
                let address = "10.0.0.\(turn)"
                let answer = try await world.send(.post, "/v1/auth/login", form, address: address, replica: replica)
                #expect(answer.status == 401)
                times[turn % 2].append(Instant.now - began)
            }
            let medians = times.map { $0.sorted()[$0.count / 2] }
            // Forty samples on a machine that does other things: an unhashed answer would be a hundred times faster.
            #expect((0.7...1.4).contains(medians[0] / medians[1]), "\(medians)")
        }
    }
}
