import Core
import HTTP
import Platform
import TestSupport
import Testing

@testable import API

@Suite struct StreamFaultTests {
    @Test func `a store that is away when a body begins is told as the problem it is`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let job = try await world.job(of: person).id
            let token = try await world.device(of: person).token
            #expect(try await world.send(.get, "/v1/jobs/\(job)/transcript", token: token).status == 200)
            world.log.failure = .unavailable("away")
            let told = await #expect(throws: ProblemError.self) {
                try await world.send(.get, "/v1/jobs/\(job)/transcript", token: token)
            }
            #expect(told?.problem.status == 503 && told?.problem.code == "store_unavailable")
            // A fault of ours goes to the log as it is.
            world.log.failure = .failed(stage: "read", sqlState: "42P01")
            await #expect(throws: StoreError.self) {
                try await world.send(.get, "/v1/jobs/\(job)/transcript", token: token)
            }
        }
    }
}
