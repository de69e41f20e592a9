import Auth
import Bytes
import Core
import HTTP
import Store
import TestSupport
import Testing

/// A key with a word in it that must turn up nowhere.
private let canary = "sk-canary-0123456789-wxyz"

private func form(
    _ provider: String = "anthropic",
    key: String = canary,
    url: String? = nil
) -> JSONValue {
    let place = url.map { [("base_url", JSONValue.string($0))] } ?? []
    return .object(JSONObject([("provider", .string(provider)), ("key", .string(key))] + place))
}

@Suite struct ModelKeyTests {
    @Test func `a key is kept sealed, shown by its last four, and removed`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            for path in ["/v1/me/model-key", "/v1/teams/\(person.team.id)/model-key"] {
                let missing = try await world.send(.get, path, token: token)
                #expect(missing.status == 404 && missing.code == "model_key_not_found")
                let put = try await world.send(.put, path, form(), token: token)
                #expect(put.status == 200 && put.json["verification"]?.string == "accepted", "\(put.text)")
                let shown = try await world.send(.get, path, token: token)
                #expect(shown.status == 200 && shown.json["last_four"]?.string == "wxyz")
                #expect(
                    shown.json.object?.members.map(\.name) == [
                        "owner", "provider", "base_url", "last_four", "set_by", "set_at", "verified_at",
                    ]
                )
                #expect(shown.json["set_by"]?.string == person.user.id.description)
                #expect(shown.json["verified_at"]?.string != nil && shown.json["base_url"] == .null)
                for answer in [missing, put, shown] { #expect(!answer.text.contains("canary")) }
            }
            #expect(world.modelCheck.asked == Array(repeating: "https://api.anthropic.com …wxyz", count: 2))
            for path in ["/v1/me/model-key", "/v1/teams/\(person.team.id)/model-key"] {
                #expect(try await world.send(.delete, path, token: token).status == 204)
                #expect(try await world.send(.delete, path, token: token).status == 404)
                #expect(try await world.send(.get, path, token: token).status == 404)
            }
        }
    }

    @Test(arguments: [
        (ModelKeyVerdict.refused(status: 401), 422, "model_key_refused"),
        (.unreachable("no answer"), 502, "model_unreachable"), (.busy, 503, "overloaded"),
        (.forbidden("leads to an inner network"), 422, "invalid_fields"),
    ])
    func `a key that the provider does not take is not kept, unless nobody asks`(
        verdict: ModelKeyVerdict,
        status: Int,
        code: String
    ) async throws {
        try await withAPI { world in
            let token = try await world.device(of: try await world.person()).token
            world.modelCheck.verdict = verdict
            let put = try await world.send(.put, "/v1/me/model-key", form(), token: token)
            #expect(put.status == status && put.code == code, "\(put.text)")
            #expect(!put.text.contains("canary"))
            #expect(try await world.send(.get, "/v1/me/model-key", token: token).status == 404)
            let unasked = try await world.send(.put, "/v1/me/model-key?verify=false", form(), token: token)
            #expect(unasked.status == 200 && unasked.json["verification"]?.string == "skipped")
            #expect(unasked.json["verified_at"] == .null && world.modelCheck.asked.count == 1)
        }
    }

    @Test func `an answer that does not tell is told, and the key kept`() async throws {
        try await withAPI { world in
            let token = try await world.device(of: try await world.person()).token
            world.modelCheck.verdict = .unclear("the provider answers 404")
            let body = form("compatible", url: "https://gateway.example/v2")
            let put = try await world.send(.put, "/v1/me/model-key", body, token: token)
            #expect(put.status == 200 && put.json["verification"]?.string == "unclear")
            #expect(put.json["verification_detail"]?.string == "the provider answers 404")
            #expect(put.json["base_url"]?.string == "https://gateway.example/v2" && put.json["verified_at"] == .null)
        }
    }

    @Test(arguments: [
        (form("openai"), "/provider"), (form("compatible"), "/base_url"),
        (form("anthropic", url: "https://gateway.example"), "/base_url"),
        (form("compatible", url: "http://gateway.example"), "/base_url"),
        (form("compatible", url: "https://inner.example"), "/base_url"),
        (form("compatible", url: "https://" + String(repeating: "a", count: 2_048)), "/base_url"),
        (form(key: ""), "/key"), (form(key: "two words"), "/key"), (form(key: "line\r\nx: y"), "/key"),
        (form(key: "schlüssel"), "/key"), (form(key: String(repeating: "k", count: 4_097)), "/key"),
        (.object(JSONObject([("provider", .string("anthropic"))])), "/key"),
    ])
    func `what cannot be meant is refused with its field`(body: JSONValue, pointer: String) async throws {
        try await withAPI { world in
            let token = try await world.device(of: try await world.person()).token
            world.modelCheck.refused = ["inner.example"]
            let put = try await world.send(.put, "/v1/me/model-key", body, token: token)
            #expect(put.status == 422 && put.code == "invalid_fields", "\(put.text)")
            #expect(put.json["errors"]?.array?.contains { $0["pointer"]?.string == pointer } == true, "\(put.text)")
            #expect(!put.text.contains("canary") && world.modelCheck.asked.isEmpty)
            #expect(try await world.send(.get, "/v1/me/model-key", token: token).status == 404)
            #expect(try await world.send(.put, "/v1/me/model-key", form(), token: token).status == 200)
        }
    }

    @Test func `a switch that is neither true nor false is refused`() async throws {
        try await withAPI { world in
            let token = try await world.device(of: try await world.person()).token
            for query in ["verify=no", "verify=", "verify=TRUE", "check=false"] {
                let put = try await world.send(.put, "/v1/me/model-key?\(query)", form(), token: token)
                #expect(put.status == 400 && put.code == "malformed_parameter", "\(query)")
            }
            #expect(try await world.send(.put, "/v1/me/model-key?verify=true", form(), token: token).status == 200)
        }
    }

    @Test(arguments: Role.allCases) func `a team's key is its administrators' affair`(role: Role) async throws {
        try await withAPI { world in
            let (owner, member, stranger) = (
                try await world.person(), try await world.person(), try await world.person()
            )
            try await AccessStage.join(member, owner.team.id, role, world)
            let path = "/v1/teams/\(owner.team.id)/model-key"
            let tokens = (
                try await world.device(of: owner).token, try await world.device(of: member).token,
                try await world.device(of: stranger).token
            )
            #expect(try await world.send(.put, path, form(), token: tokens.0).status == 200)
            let isAllowed = role >= .admin
            for (method, body) in [(HTTPMethod.get, nil), (.put, form()), (.delete, nil)] as [(HTTPMethod, JSONValue?)]
            {
                let other = try await world.send(method, path, body, token: tokens.2)
                #expect(other.status == 404 && other.code == "team_not_found", "\(method.rawValue)")
                let answer = try await world.send(method, path, body, token: tokens.1)
                #expect((200...204).contains(answer.status) == isAllowed, "\(method.rawValue): \(answer.text)")
                #expect(isAllowed || answer.status == 403, "\(method.rawValue)")
            }
            // Nobody sees or removes another person's.
            #expect(try await world.send(.put, "/v1/me/model-key", form(), token: tokens.0).status == 200)
            #expect(try await world.send(.get, "/v1/me/model-key", token: tokens.1).status == 404)
            #expect(try await world.send(.delete, "/v1/me/model-key", token: tokens.1).status == 404)
        }
    }

    @Test func `setting and removing are recorded in their chains, without the key`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let team = "/v1/teams/\(person.team.id)/model-key"
            for path in [team, "/v1/me/model-key"] {
                #expect(try await world.send(.put, path, form(), token: token).status == 200)
                #expect(try await world.send(.delete, path, token: token).status == 204)
                #expect(try await world.send(.delete, path, token: token).status == 404)
            }
            for chain in [AuditChain.team(person.team.id), .installation] {
                let entries = try await world.store.audit.stored(chain, after: .start, limit: 100)
                let acts = entries.map(\.action).filter { $0.hasPrefix("model_key") }
                #expect(acts == ["model_key.set", "model_key.removed"], "\(chain)")
                for entry in entries {
                    let bytes = entry.canonical + (entry.personal ?? [])
                    #expect(bytes.firstRange(of: Array("canary".utf8)) == nil)
                }
            }
        }
    }

    @Test func `a server without its master keys keeps nothing and says so`() async throws {
        try await withAPI { world in
            let token = try await world.device(of: try await world.person()).token
            let ring = world.masterKeys.ring
            world.masterKeys.replace(nil)
            let put = try await world.send(.put, "/v1/me/model-key", form(), token: token)
            #expect(put.status == 503 && put.code == "secrets_unavailable")
            world.masterKeys.replace(ring)
            #expect(try await world.send(.put, "/v1/me/model-key", form(), token: token).status == 200)
            // Another installation's file: its key is registered nowhere, and ours is missing in it.
            world.masterKeys.replace(MasterKeyRing(firstKeyAt: APIWorld.start))
            let foreign = try await world.send(.put, "/v1/me/model-key", form(), token: token)
            #expect(foreign.status == 503 && foreign.code == "secrets_unavailable")
        }
    }

    @Test func `a key that the file has and the database does not know yet is registered on the way`() async throws {
        try await withAPI { world in
            let token = try await world.device(of: try await world.person()).token
            #expect(try await world.send(.put, "/v1/me/model-key", form(), token: token).status == 200)
            let rotated = world.masterKeys.ring.rotated(at: APIWorld.start)
            world.masterKeys.replace(rotated)
            #expect(try await world.send(.put, "/v1/me/model-key", form(), token: token).status == 200)
            let keys = try await world.store.secrets.masterKeys()
            #expect(Set(keys.map(\.id)) == Set(rotated.keys.map(\.id)))
            #expect(keys.first { $0.id == rotated.current.id }?.secrets == 1)
        }
    }
}
