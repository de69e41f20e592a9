import Auth
import Bytes
import Core
import HTTP
import TestSupport
import Testing

@testable import API

@Suite struct ReauthenticationTests {
    private static func prove(
        _ password: String,
        token: String,
        in world: APIWorld
    ) async throws -> APIAnswer {
        try await world.send(.post, "/v1/auth/reauthenticate", .form(["password": password]), token: token)
    }

    @Test func `item 59: keys and service accounts need a proof of identity that is at most ten minutes old`()
        async throws
    {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let key = try await stage.key(["jobs:read"])
            let tokens = try await world.signIn(stage.owner)
            let form = JSONValue.members(["name": .string("robot"), "scopes": .strings(["jobs:read"])])
            let requests: [(String, JSONValue?)] = [
                (stage.path, form),
                ("/v1/teams/\(stage.team.id)/service-accounts", .form(["name": "a", "role": "viewer"])),
                ("\(stage.path)/\(key.id)/rotate", nil),
            ]
            world.time.advance(by: .seconds(600))
            let late = try APITokens(
                try await world.send(.post, "/v1/auth/refresh", .form(["refresh_token": tokens.refresh]))
            )
            for token in [tokens.access, late.access] {
                for (path, body) in requests {
                    let answer = try await world.send(.post, path, body, token: token)
                    #expect(answer.status == 403 && answer.code == "reauthentication_required", "\(path)")
                }
            }
            // Looking and ending need none.
            #expect(try await world.send(.get, stage.path, token: late.access).status == 200)
            let wrong = try await Self.prove("not this one", token: late.access, in: world)
            #expect(wrong.status == 403 && wrong.code == "wrong_password")
            #expect(try await world.send(.post, stage.path, form, token: late.access).status == 403)
            #expect(try await Self.prove(APIWorld.password, token: late.access, in: world).status == 204)
            for (path, body) in requests {
                #expect(try await world.send(.post, path, body, token: late.access).status == 201, "\(path)")
            }
            #expect(try await world.send(.delete, "\(stage.path)/\(key.id)", token: late.access).status == 204)
            let acts = try await world.acts().suffix(2)
            #expect(acts.map(\.action) == ["sign_in.refused", "sign_in.confirmed"])
            // The proof is this device's, and ends like the first one.
            let other = try await world.device(of: stage.owner).token
            #expect(try await world.send(.post, stage.path, form, token: other).status == 201)
            world.time.advance(by: .seconds(600))
            #expect(
                try await world.send(.post, stage.path, form, token: late.access).code == "reauthentication_required"
            )
        }
    }

    @Test func `a sign-in that was ended elsewhere makes no key, also before this server hears of it`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let kept = try await world.device(of: stage.owner)
            _ = try await stage.key(["jobs:read"])
            world.bus.isAway = true
            try await world.endSignIns(of: stage.owner, except: kept.id)
            for (path, body) in [
                (stage.path, JSONValue.members(["name": .string("late"), "scopes": .strings(["jobs:read"])])),
                ("/v1/teams/\(stage.team.id)/service-accounts", .form(["name": "late", "role": "viewer"])),
            ] {
                let late = try await world.send(.post, path, body, token: stage.token)
                #expect(late.status == 401 && late.code == "unauthenticated", "\(path)")
                #expect(try await world.send(.post, path, body, token: kept.token).status == 201, "\(path)")
            }
        }
    }

    @Test func `another person's password proves nothing`() async throws {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let other = try await world.person(passwordHash: PasswordCheck.hash("eleven ships and no anchor"))
            let token = try await world.device(of: other).token
            #expect(try await Self.prove(APIWorld.password, token: token, in: world).status == 403)
            #expect(try await Self.prove("eleven ships and no anchor", token: stage.token, in: world).status == 403)
            #expect(try await Self.prove("eleven ships and no anchor", token: token, in: world).status == 204)
        }
    }
}
