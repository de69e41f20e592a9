import Bytes
import Core
import HTTP
import Platform
import TestSupport
import Testing

@testable import API

/// Every bucket as a client meets it: what goes beyond is 429 `rate_limited` under the bucket's name, the rest goes on.
@Suite(.timeLimit(.minutes(5))) struct FloodTests {
    /// Requests that are charged in a bucket of a person, and how many of them fit in at once.
    struct Flood: Sendable, CustomTestStringConvertible {
        let policy: String
        let method: HTTPMethod
        let path: String
        let burst: Int
        var testDescription: String { policy }
    }

    private static func expectRefusal(_ answer: APIAnswer, _ policy: String) throws {
        #expect(answer.status == 429 && answer.code == "rate_limited", "\(answer.text)")
        #expect(answer.json["type"]?.string == "https://iana.org/assignments/http-problem-types#quota-exceeded")
        #expect(answer.json["violated-policies"]?.array?.compactMap(\.string) == [policy])
        let limit = try #require(answer.headers["ratelimit"].flatMap { StructuredList.parse($0) }?.first)
        #expect(limit.name == policy && limit.parameters["r"] == 0)
        let wait = try #require(answer.headers["retry-after"].flatMap { Int64($0) })
        #expect(try wait >= 1 && wait >= #require(limit.parameters["t"]))
    }

    /// How many requests passed before the first that was refused, and that one; more than `most` is no limit.
    private static func flood(
        _ most: Int,
        _ send: (Int) async throws -> APIAnswer
    ) async throws -> (passed: Int, refusal: APIAnswer) {
        for number in 0..<most {
            let answer = try await send(number)
            if answer.status == 429 { return (number, answer) }
        }
        return (most, try await send(most))
    }

    @Test(arguments: [
        Flood(policy: "write", method: .post, path: "/v1/projects", burst: 240),
        Flood(policy: "run", method: .post, path: "/v1/jobs", burst: 240),
        Flood(policy: "stream", method: .get, path: "/v1/jobs/none/events", burst: 160),
        Flood(policy: "upload", method: .put, path: "/v1/projects/none/workspace", burst: 40),
        Flood(policy: "device", method: .get, path: "/v1/jobs/none", burst: 320),
    ]) func `a flood of a device is refused by name, and its person's other device goes on`(
        flood: Flood
    ) async throws {
        try await withAPI { world in
            let (person, other) = (try await world.person(), try await world.person())
            let token = try await world.device(of: person).token
            // Full buckets fill up while they are emptied, by a fraction of what fits in.
            let (passed, refusal) = try await Self.flood(4 * flood.burst) { _ in
                try await world.send(flood.method, flood.path, token: token)
            }
            #expect(passed >= flood.burst && passed < 4 * flood.burst)
            try Self.expectRefusal(refusal, flood.policy)
            let second = try await world.device(of: person, "second").token
            #expect(try await world.send(.get, "/v1/me", token: second).status == 200)
            let theirs = try await world.device(of: other).token
            #expect(try await world.send(flood.method, flood.path, token: theirs).status != 429)
        }
    }

    @Test func `a person's devices share what the person may ask for, and another person does not feel it`()
        async throws
    {
        try await withAPI { world in
            let (person, other) = (try await world.person(), try await world.person())
            let tokens = [try await world.device(of: person).token, try await world.device(of: person, "second").token]
            let (passed, refusal) = try await Self.flood(1_600) { number in
                try await world.send(.get, "/v1/jobs/none", token: tokens[number % 2])
            }
            #expect(passed >= 400 && passed < 1_600)
            try Self.expectRefusal(refusal, "person")
            let theirs = try await world.device(of: other).token
            #expect(try await world.send(.get, "/v1/me", token: theirs).status == 200)
        }
    }

    @Test(arguments: [true, false]) func `a flood of nobody is refused by address, with the shared buckets or without`(
        isReachable: Bool
    ) async throws {
        try await withAPI { world in
            world.buckets.isReachable = isReachable
            let path = "/openapi.json"
            let (passed, refusal) = try await Self.flood(400) { _ in
                try await world.send(.get, path, address: "198.51.100.1")
            }
            #expect(passed >= 100 && passed < 400)
            try Self.expectRefusal(refusal, "address")
            #expect(try await world.send(.get, path, address: "198.51.100.2").status == 200)
            #expect(try await world.send(.get, "/health", address: "198.51.100.1").status == 200)
        }
    }
}
