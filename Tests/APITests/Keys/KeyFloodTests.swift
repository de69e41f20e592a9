import API
import Core
import HTTP
import TestSupport
import Testing

/// A key that asks without end.
@Suite struct KeyFloodTests {
    @Test func `a key's flood is refused before the store is asked whether it stands, also after a revocation`()
        async throws
    {
        try await withAPI { world in
            let stage = try await KeyStage(world)
            let secret = try await stage.key(["jobs:read"]).secret
            world.rates = RateSettings(requestsPerSecond: 1)
            let replica = world.addReplica()
            #expect(try await stage.reads(secret, replica: replica) == 200)
            // Somebody's key was revoked somewhere: nothing is believed any more.
            world.bus.publish(BusChannel.revoked, [])
            let before = world.keyStore.uses
            let answers = try await world.atOnce(60) { _ in
                try await world.send(.get, "/v1/jobs/\(stage.job.id)", token: secret, replica: replica)
            }
            let passed = answers.count { $0.status == 200 }
            #expect((1...10).contains(passed) && answers.count { $0.status == 429 } == 60 - passed)
            #expect((1...passed).contains(world.keyStore.uses - before))
        }
    }
}
