import Bytes
import Core
import Testing

@testable import Store

/// What is promised of sealed secrets and their master keys, by PostgreSQL and by the double that other rooms test with.
@Suite struct SecretConformanceTests {
    @Test(arguments: SecretStage.Backend.allCases)
    func `the first server's key is registered, and a server with another file learns what it lacks`(
        _ backend: SecretStage.Backend
    ) async throws {
        try await SecretStage.run(backend) { stage in
            let secrets = stage.secrets
            let (one, two, three) = (MasterKeyID.sample(1), MasterKeyID.sample(2), MasterKeyID.sample(3))
            let before = try await secrets.masterKeys()
            #expect(before.isEmpty)
            #expect(try await secrets.register(one, of: [one]) == [])
            #expect(try await secrets.register(one, of: [one]) == [])
            #expect(try await secrets.register(two, of: [two]) == [one])
            #expect(try await secrets.masterKeys().map(\.id) == [one])
            // A file that was rotated elsewhere has the old key too.
            #expect(try await secrets.register(two, of: [one, two]) == [])
            #expect(try await secrets.register(three, of: [one, three]) == [two])
            #expect(try await secrets.masterKeys().map(\.id) == [one, two])
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `a rotation is recorded once, with its key`(_ backend: SecretStage.Backend) async throws {
        try await SecretStage.run(backend) { stage in
            try await stage.register(1)
            #expect(try await stage.secrets.adopt(.sample(2), audit: .sample("master_key.rotated")))
            #expect(try await !stage.secrets.adopt(.sample(2), audit: .sample("master_key.rotated")))
            #expect(try await stage.secrets.masterKeys().map(\.id) == [.sample(1), .sample(2)])
            #expect(try await stage.acts(of: .installation) == ["master_key.rotated"])
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `secrets are wrapped anew in bounded batches, and one that changed meanwhile is left`(
        _ backend: SecretStage.Backend
    ) async throws {
        try await SecretStage.run(backend) { stage in
            try await stage.register(1)
            var people: [Person] = []
            for _ in 0..<5 { people.append(try await stage.person()) }
            for person in people { try await stage.setModelKey(of: .user(person.user.id), by: person) }
            _ = try await stage.secrets.adopt(.sample(2), audit: .sample("master_key.rotated"))
            let secrets = stage.secrets
            var (found, last): ([StoredSecret], String) = ([], "")
            while true {
                let batch = try await secrets.secrets(under: .sample(1), after: last, limit: 2)
                guard let end = batch.last else { break }
                #expect(batch.count <= 2)
                found += batch
                last = end.place.description
            }
            let places = people.map { ModelKeyOwner.user($0.user.id).secretPlace.description }
            #expect(found.map(\.place.description) == places.sorted())
            let changed = people[0]
            try await stage.setModelKey(of: .user(changed.user.id), by: changed, filler: 9)
            let written = try await secrets.rewrap(
                found.map { RewrappedSecret(place: $0.place, old: $0.sealed, new: .sealed(under: 2)) }
            )
            #expect(written == 4)
            #expect(try await secrets.masterKeys().map(\.secrets) == [1, 4])
            let rest = try await secrets.secrets(under: .sample(1), after: "", limit: 9)
            #expect(rest.map(\.place) == [ModelKeyOwner.user(changed.user.id).secretPlace])
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `a key is forgotten when nothing needs it, and then nothing can be sealed under it`(
        _ backend: SecretStage.Backend
    ) async throws {
        try await SecretStage.run(backend) { stage in
            try await stage.register(1)
            let person = try await stage.person()
            let owner = ModelKeyOwner.team(person.team.id)
            try await stage.setModelKey(of: owner, by: person)
            _ = try await stage.secrets.adopt(.sample(2), audit: .sample("master_key.rotated"))
            #expect(try await !stage.secrets.forget(.sample(1)))
            let change = RewrappedSecret(place: owner.secretPlace, old: .sealed(under: 1), new: .sealed(under: 2))
            #expect(try await stage.secrets.rewrap([change]) == 1)
            #expect(try await stage.secrets.forget(.sample(1)))
            #expect(try await !stage.secrets.forget(.sample(1)))
            await #expect(throws: StoreError.conflict(field: "master_key")) {
                try await stage.setModelKey(of: owner, by: person)
            }
            #expect(try await stage.secrets.masterKeys().map(\.secrets) == [1])
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `what is no sealed secret is refused by the table itself`(_ backend: SecretStage.Backend) async throws {
        try await SecretStage.run(backend) { stage in
            try await stage.register(1)
            let person = try await stage.person()
            let owner = ModelKeyOwner.user(person.user.id)
            let whole = [UInt8].sealed(under: 1)
            for wrong in [[], Array(whole.dropLast()), [2] + whole.dropFirst(), [UInt8]("sk-plain".utf8)] {
                await #expect(throws: StoreError.self) {
                    try await stage.setModelKey(of: owner, by: person, sealed: wrong)
                }
            }
            #expect(try await stage.modelKeys.modelKey(of: owner, scope: .system) == nil)
            try await stage.setModelKey(of: owner, by: person, sealed: whole)
        }
    }
}
