import Auth
import Bytes
import Core
import HTTP
import Testing

@testable import API

/// What a change of the signing keys does to those who are signed in.
@Suite struct SigningKeyChangeTests {
    private static func use(_ set: SigningKeySet, in world: APIWorld) {
        let ring = KeyRing(set, issuer: APIWorld.publicURL, audience: APIWorld.publicURL)
        world.replicas[0].endpoints.replaceKeys(ring, DeviceTokens(set))
    }

    @Test func `item 12: what people watch is cut when a key is removed, not when one is rotated; keys go on`()
        async throws
    {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let secret = try await stage.key(["jobs:read"]).secret
            let person = try await Watcher(stage.job.id, token: stage.token, in: world)
            let key = try await Watcher(stage.job.id, token: secret, in: world)
            let rotated = try world.keys.rotated(at: world.time.now)
            Self.use(rotated, in: world)
            #expect(try await world.send(.get, "/v1/me", token: stage.token).status == 200)
            #expect(!person.hasEnded && !key.hasEnded)
            let removed = try #require(try rotated.removing(world.keys.active.identifier, at: world.time.now))
            Self.use(removed, in: world)
            #expect(await person.ends(within: .seconds(5)))
            // Told to come again, not that the device was signed out.
            #expect(person.text.contains("token_expired"))
            #expect(try await world.send(.get, "/v1/me", token: stage.token).status == 401)
            #expect(try await stage.reads(secret) == 200)
            #expect(!key.hasEnded)
            key.leave()
            let again = try await Watcher(stage.job.id, token: try await world.device(of: stage.owner).token, in: world)
            #expect(again.status == 200)
            again.leave()
        }
    }

    @Test func `item 12: the published keys are those that are believed, at every moment`() async throws {
        try await withAPI { world in
            func published() async throws -> [String?] {
                let answer = try await world.send(.get, "/.well-known/jwks.json")
                return answer.json["keys"]?.array?.map { $0["kid"]?.string } ?? []
            }
            let first = world.keys.active.identifier
            #expect(try await published() == [first])
            let rotated = try world.keys.rotated(at: world.time.now)
            Self.use(rotated, in: world)
            #expect(try await published() == [first, rotated.active.identifier])
            world.time.advance(by: AccessTokenTimes.maximumLifetime)
            #expect(try await published() == [rotated.active.identifier])
        }
    }
}
