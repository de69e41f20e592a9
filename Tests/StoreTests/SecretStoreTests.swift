import Bytes
import Core
import Platform
import Testing

@testable import Store

/// What only a database can get wrong: many at once.
@Suite struct SecretStoreTests {
    @Test func `of many servers that start at once with files of their own, one wins`() async throws {
        try await withWorld { world in
            let missing = try await world.atOnce(16) { index in
                let own = MasterKeyID.sample(UInt8(index + 1))
                return try await world.store.secrets.register(own, of: [own])
            }
            let known = try await world.store.secrets.masterKeys().map(\.id)
            #expect(known.count == 1)
            #expect(missing.filter(\.isEmpty).count == 1 && missing.filter { $0 == known }.count == 15)
        }
    }

    @Test func `many jobs are granted at once, each its own`() async throws {
        try await withWorld { world in
            try await world.register(1)
            var asked: [(job: JobID, fallback: ModelKeyKind?)] = []
            var expected: [JobID: SecretPlace] = [:]
            for index in 0..<20 {
                let person = try await world.person()
                let job = try await world.agentJob(person)
                asked.append((job.id, nil))
                guard index % 3 > 0 else { continue }
                let owner: ModelKeyOwner = index % 3 == 1 ? .user(person.user.id) : .team(person.team.id)
                try await world.setModelKey(of: owner, by: person)
                expected[job.id] = owner.secretPlace
            }
            let jobs = asked
            let rounds = try await world.atOnce(8) { _ in try await world.store.modelKeys.grantModels(jobs) }
            for granted in rounds {
                let places = Dictionary(uniqueKeysWithValues: granted.map { ($0.job, $0.stored?.secret.place) })
                #expect(places == expected.mapValues { $0 })
            }
        }
    }
}
