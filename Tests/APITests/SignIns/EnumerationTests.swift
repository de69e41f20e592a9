import Auth
import Bytes
import Core
import HTTP
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

    @Test func `item 32: whoever is unknown or disabled costs what a wrong password does: one hash at today's cost`()
        async throws
    {
        try await withAPI { world in
            let (known, disabled) = (try await world.person(), try await world.person())
            #expect(try await world.disable(disabled))
            let emails = [known.user.email, "nobody@example.org", "not an address", disabled.user.email]
            for email in emails {
                let before = world.checkedHashes.count
                #expect(try await Self.login(email, "wrong password", in: world).status == 401, "\(email)")
                let checked = world.checkedHashes.dropFirst(before)
                #expect(checked.count == 1, "\(email)")
                // Memory, passes and lanes, and as much salt and hash to work through.
                let parts = checked.first?.split(separator: "$").map(String.init) ?? []
                #expect(parts.prefix(3) == ["argon2id", "v=19", "m=65536,t=3,p=4"], "\(email)")
                let own = try #require(world.checkedHashes.first).split(separator: "$").map(\.count)
                #expect(parts.map(\.count) == own, "\(email)")
            }
            // Reauthenticating and the right password cost one too, and a sign-in's refresh none.
            let before = world.checkedHashes.count
            let tokens = try await world.signIn(known)
            let form = JSONValue.form(["password": "not this one"])
            #expect(try await world.send(.post, "/v1/auth/reauthenticate", form, token: tokens.access).status == 403)
            let refresh = JSONValue.form(["refresh_token": tokens.refresh])
            #expect(try await world.send(.post, "/v1/auth/refresh", refresh).status == 200)
            #expect(world.checkedHashes.count == before + 2)
            #expect(PasswordCheck.needsRehash("$argon2id$v=19$m=65535,t=3,p=4$AAAA$AAAA"))
        }
    }
}
