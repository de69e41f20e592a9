import Bytes
import Core
import HTTP
import Platform
import TestSupport
import Testing

@testable import API

/// What requests meet at the door.
@Suite(.timeLimit(.minutes(5))) struct AnswerLimitsTests {
    private static let wrong = JSONValue.object(
        JSONObject([("email", .string("nobody@example.org")), ("password", .string("wrong horse battery"))])
    )

    /// A body that says whether somebody asked for it.
    private final class WatchedBody: RequestBody {
        let declaredLength: Int? = 1_000
        private(set) var wasAsked = false

        func next() async throws(BodyError) -> [UInt8]? {
            wasAsked = true
            return nil
        }
    }

    @Test func `every answer tells of the limits but that of health, whoever asks and whatever comes of it`()
        async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            for row in Endpoints.table {
                let path = row.pattern.split(separator: "/", omittingEmptySubsequences: false)
                    .map { $0.hasPrefix("{") ? "none" : String($0) }.joined(separator: "/")
                for token in [nil, token, "forged"] {
                    let answer = try await world.send(row.method, path, token: token, address: "198.51.100.7")
                    guard row.operationID != "health" else {
                        #expect(answer.status == 200 && answer.headers["ratelimit"] == nil)
                        continue
                    }
                    let place = "\(row.operationID) \(answer.status) \(token ?? "nobody")"
                    let policies = try #require(answer.headers["ratelimit-policy"], "\(place)")
                    let limit = try #require(answer.headers["ratelimit"], "\(place)")
                    #expect(
                        StructuredList.parse(policies) != nil && StructuredList.parse(limit)?.count == 1,
                        "\(place)"
                    )
                }
            }
        }
    }

    @Test func `a refusal comes before the body is read, and waits at least as long as it says`() async throws {
        try await withAPI { world in
            func login(_ body: any RequestBody) async throws -> APIAnswer {
                let request = try HTTPRequest(
                    method: .post,
                    target: "/v1/auth/login",
                    headers: HTTPHeaders([("content-type", "application/json"), ("content-length", "1000")]),
                    body: body,
                    remoteAddress: "203.0.113.5",
                    isSecure: true
                )
                return try await APIAnswer(world.replicas[0].router.respond(to: request), on: world.loop)
            }
            for _ in 0..<20 {
                let body = WatchedBody()
                #expect(try await login(body).status == 400)
                #expect(body.wasAsked)
            }
            let body = WatchedBody()
            let refused = try await login(body)
            #expect(!body.wasAsked)
            #expect(refused.status == 429 && refused.code == "rate_limited")
            #expect(refused.headers["content-type"] == "application/problem+json")
            #expect(refused.json["violated-policies"]?.array?.first?.string == "sign-in")
            let limit = try #require(refused.headers["ratelimit"].flatMap { StructuredList.parse($0) }?.first)
            #expect(limit.name == "sign-in" && limit.parameters["r"] == 0)
            let wait = try #require(refused.headers["retry-after"].flatMap { Int64($0) })
            #expect(try wait >= #require(limit.parameters["t"]) && wait >= 1 && wait <= 6)
        }
    }

    @Test func `a stranger who uses up an address stops nobody who is signed in there`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            var statuses: Set<Int> = []
            for _ in 0..<150 {
                statuses.insert(try await world.send(.get, "/v1/me", token: "forged", address: "192.0.2.9").status)
            }
            #expect(statuses == [401, 429])
            #expect(try await world.send(.get, "/openapi.json", address: "192.0.2.9").status == 429)
            #expect(try await world.send(.get, "/v1/me", token: token, address: "192.0.2.9").status == 200)
            #expect(try await world.send(.get, "/openapi.json", address: "192.0.2.10").status == 200)
        }
    }

    @Test func `one person's flood stops that person alone, on all of their addresses and on every replica`()
        async throws
    {
        try await withAPI(replicas: 2) { world in
            let (busy, quiet) = (try await world.person(), try await world.person())
            let token = try await world.device(of: busy).token
            var passed = 0
            for number in 0..<700 {
                let answer = try await world.send(
                    .get,
                    "/v1/jobs/none",
                    token: token,
                    address: "192.0.2.\(number % 200)",
                    replica: number % 2
                )
                if answer.status != 429 { passed += 1 }
            }
            // 320 at once, 40 more each second; each loop may be a sixteenth too generous.
            #expect(passed >= 320 && passed < 600)
            #expect(try await world.send(.get, "/v1/me", token: world.device(of: quiet).token).status == 200)
        }
    }

    @Test func `sign-ins that succeed do not use an address up`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            for _ in 0..<25 { _ = try await world.signIn(person) }
            #expect(try await world.send(.post, "/v1/auth/login", Self.wrong).status == 401)
        }
    }

    @Test func `with the shared buckets away everything is answered, and limited`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            world.buckets.isReachable = false
            var statuses: [Int: Int] = [:]
            for _ in 0..<600 {
                statuses[try await world.send(.get, "/v1/jobs/none", token: token).status, default: 0] += 1
            }
            #expect(statuses[404].map { $0 >= 320 } == true && statuses[429].map { $0 > 0 } == true)
        }
    }
}
