import Bytes
import Core
import HTTP
import Testing

@testable import API

/// Tokens that were never given out, as the API answers them.
@Suite(.timeLimit(.minutes(5))) struct ForgedTokenTests {
    @Test(arguments: TokenForge.Kind.allCases)
    func `items 1 to 10: a token that is not just as we made it gets 401, and the true one beside it gets in`(
        kind: TokenForge.Kind
    ) async throws {
        try await withAPI { world in
            let person = try await world.person()
            let forge = try TokenForge(world, person, try await world.device(of: person).id)
            let cases = try forge.bad(kind)
            #expect(cases.count > 5)
            for (number, wrong) in cases.enumerated() {
                // Each from an address of its own: a stranger's tries are counted.
                let address = "10.0.\(number / 250).\(number % 250)"
                let answer = try await world.send(.get, "/v1/me", token: wrong.token, address: address)
                #expect(answer.status == 401 && answer.code == wrong.code, "\(wrong.name): \(answer.text)")
                let told = wrong.code == "token_expired" ? #"Bearer error="invalid_token""# : "Bearer"
                #expect(answer.headers["www-authenticate"] == told, "\(wrong.name)")
                #expect(wrong.token.isEmpty || wrong.token.count < 9 || !answer.text.contains(wrong.token))
            }
            for token in try forge.good(kind) {
                let answer = try await world.send(.get, "/v1/me", token: token)
                #expect(answer.status == 200 && answer.json["id"]?.string == person.user.id.description, "\(token)")
            }
        }
    }

    @Test func `item 15: a token counts in its header alone`() async throws {
        try await withAPI { world in
            let token = try await world.device(of: try await world.person()).token
            let elsewhere = [
                ("cookie", "access_token=\(token)"), ("x-access-token", token),
                ("proxy-authorization", "Bearer \(token)"),
                ("authorization", token), ("authorization", "Bearer  \(token)"), ("authorization", "Bearer"),
                ("authorization", "Bearer \(token) \(token)"), ("authorization", "Bearer \(token),"),
                ("authorization", "Basic \(token)"), ("authorization", "Token \(token)"), ("authorization", "Bearer"),
            ]
            for field in elsewhere {
                let answer = try await world.send(.get, "/v1/me", headers: [field])
                #expect(answer.status == 401 && answer.code == "unauthenticated", "\(field.0): \(field.1.prefix(12))")
            }
            for target in [
                "/v1/me?access_token=\(token)", "/v1/me?token=\(token)", "/v1/me?authorization=Bearer+\(token)",
            ] {
                let answer = try await world.send(.get, target)
                #expect(answer.status == 401 && answer.code == "unauthenticated")
                #expect(!answer.text.contains(token))
            }
            let body = JSONValue.object(JSONObject([("name", .string("one")), ("access_token", .string(token))]))
            #expect(try await world.send(.post, "/v1/projects", body).code == "unauthenticated")
            for scheme in ["Bearer", "bearer", "BEARER"] {
                let answer = try await world.send(.get, "/v1/me", headers: [("authorization", "\(scheme) \(token)")])
                #expect(answer.status == 200, "\(scheme)")
            }
        }
    }
}
