import Bytes
import HTTP
import TestSupport
import Testing

extension EndToEnd {
    /// Rate limits of whole installations.
    @Suite(.timeLimit(.minutes(5)))
    struct Limits {}
}

extension EndToEnd.Limits {
    private static let slow = ["ERRAND_ANONYMOUS_REQUESTS_PER_SECOND": "1", "ERRAND_LOOPS": "2"]

    /// The statuses of so many requests of nobody, each of which says that it was forwarded for another address.
    private func statuses(_ count: Int, _ client: ErrandClient) async throws -> [Int] {
        var found: [Int] = []
        for number in 0..<count {
            let answer = try await client.send(
                .get,
                "/.well-known/jwks.json",
                headers: [("x-forwarded-for", "203.0.113.\(number)")]
            )
            found.append(answer.status)
        }
        return found
    }

    @Test func `what a stranger says of its address makes no bucket of its own`() async throws {
        try await RunningErrand.with(Self.slow) { errand in
            let found = try await statuses(40, try await errand.newClient())
            #expect(found.first == 200)
            #expect(found.count { $0 == 429 } >= 25)
        }
    }

    @Test func `what a trusted proxy says of an address counts`() async throws {
        try await RunningErrand.with(Self.slow.merging(["ERRAND_TRUSTED_PROXIES": "127.0.0.1/32"]) { $1 }) { errand in
            let found = try await statuses(40, try await errand.newClient())
            #expect(found.allSatisfy { $0 == 200 })
        }
    }

    @Test func `limits hold over all loops, and go on when Redis is killed in the middle`() async throws {
        try await RunningErrand.with(["ERRAND_REQUESTS_PER_SECOND": "5", "ERRAND_LOOPS": "2"]) { errand in
            let client = try await errand.administrator()
            func passed(_ count: Int) async throws -> Int {
                var passed = 0
                for _ in 0..<count where try await client.send(.get, "/v1/jobs/none").status != 429 { passed += 1 }
                return passed
            }
            // 32 of one device at once and 4 a second; each loop may be a sixteenth too generous.
            let before = try await passed(150)
            #expect((20...80).contains(before))
            try await errand.crash(.redis)
            let without = try await passed(150)
            #expect(without <= 80)
            try await errand.recovered(.redis)
            let after = try await passed(150)
            #expect(after <= 80)
            let health = try await client.send(.get, "/health").status
            #expect(health == 200)
        }
    }
}
