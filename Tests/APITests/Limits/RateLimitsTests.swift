import Auth
import Bytes
import Core
import HTTP
import Platform
import TestSupport
import Testing

@testable import API

/// Whose buckets a request is charged in, and what the client is told.
@Suite(.timeLimit(.minutes(1))) struct RateLimitsTests {
    private static let user = UserID(high: 1, low: 1)
    private static let phone = SignInID(high: 2, low: 1)
    private static let laptop = SignInID(high: 2, low: 2)

    private func at(
        _ settings: RateSettings = RateSettings(),
        _ body: @escaping @Sendable (RateLimits, InMemoryBuckets) async throws -> Void
    ) async throws {
        let loop = try EventLoop.start(name: "limits-test")
        defer { loop.stop() }
        try await loop.run {
            let clock: () -> Int64 = { 1_000_000_000 }
            let buckets = InMemoryBuckets(clock: clock)
            try await body(RateLimits(settings, buckets, loop: loop, clock: clock), buckets)
        }
    }

    private func count(_ most: Int = 100_000, _ take: () async -> RateVerdict) async -> Int {
        var passed = 0
        while passed < most, await take().isAllowed { passed += 1 }
        return passed
    }

    @Test func `a device that runs wild leaves its person's other devices their share`() async throws {
        try await at { limits, _ in
            #expect(await count { await limits.take(Self.user, Self.phone, .read) } == 320)
            #expect(await count { await limits.take(Self.user, Self.laptop, .read) } == 80)
            #expect(await limits.take(UserID(high: 1, low: 2), SignInID(high: 3, low: 3), .read).isAllowed)
        }
    }

    @Test func `item 29: proving the own password has the rate of signing in, for each device by itself`() async throws
    {
        try await at { limits, _ in
            #expect(await count { await limits.take(Self.user, Self.phone, .auth) } == 20)
            #expect(await limits.take(Self.user, Self.laptop, .auth).isAllowed)
            #expect(await limits.take(UserID(high: 1, low: 2), SignInID(high: 3, low: 3), .auth).isAllowed)
            #expect(await limits.take(Self.user, Self.phone, .read).isAllowed)
        }
    }

    @Test func `a person's API key has its own share and the person's, a service account's is apart`() async throws {
        try await at { limits, _ in
            func key(_ number: UInt64, for account: ServiceAccountID? = nil) -> Principal {
                .key(
                    APIKey(
                        id: APIKeyID(high: 4, low: number),
                        team: TeamID(high: 5, low: 1),
                        name: "robot",
                        hint: "errand_abcd",
                        issuedBy: Self.user,
                        serviceAccount: account,
                        scopes: [.jobsRead],
                        projects: nil,
                        createdAt: Timestamp(milliseconds: 0),
                        expiresAt: nil
                    )
                )
            }
            #expect(await count { await limits.take(key(1), .read) } == 320)
            #expect(await count { await limits.take(Self.user, Self.phone, .read) } == 80)
            #expect(await !limits.take(key(2), .read).isAllowed)
            #expect(await limits.take(key(3, for: ServiceAccountID(high: 6, low: 1)), .read).isAllowed)
        }
    }

    @Test(arguments: zip([RouteClass.write, .run, .stream, .upload], [240, 240, 160, 40]))
    func `each kind of route has its own limit, and reading goes on beside it`(
        kind: RouteClass,
        burst: Int
    ) async throws {
        try await at { limits, _ in
            #expect(await count { await limits.take(Self.user, Self.phone, kind) } == burst)
            #expect(await limits.take(Self.user, Self.laptop, .read).isAllowed)
        }
    }

    @Test func `a device that is known has twenty tries of its own, whatever its address did`() async throws {
        try await at { limits, _ in
            #expect(await count { await limits.take(address: "192.0.2.1", .auth) } == 20)
            let devices = (0..<2).map { KnownDevice(account: [1], device: [UInt8($0)]) }
            #expect(await count { await limits.take(device: devices[0]) } == 20)
            #expect(await limits.take(device: devices[1]).isAllowed)
        }
    }

    @Test func `a sign-in's requests and a stranger's from the same address do not touch each other`() async throws {
        try await at { limits, _ in
            #expect(await count { await limits.take(address: "192.0.2.1", .read) } == 100)
            #expect(await limits.take(Self.user, Self.phone, .read).isAllowed)
            #expect(await count { await limits.take(address: "192.0.2.1", .auth) } == 20)
            #expect(await limits.take(address: "192.0.2.2", .auth).isAllowed)
        }
    }

    @Test func `an IPv6 site has one limit over all of its lines, and a line one over its addresses`() async throws {
        try await at { limits, _ in
            var line = 0
            let sameLine = await count {
                line += 1
                return await limits.take(address: "2001:db8:1:1::\(line)", .auth)
            }
            #expect(sameLine == 20)
            let sameSite = await count {
                line += 1
                return await limits.take(address: "2001:db8:1:\(String(line, radix: 16))::1", .auth)
            }
            #expect(sameLine + sameSite == 160)
            #expect(await limits.take(address: "2001:db8:2::1", .auth).isAllowed)
        }
    }

    @Test func `many more addresses and devices than are kept in mind stay within bounded memory`() async throws {
        try await at { limits, buckets in
            buckets.isReachable = false
            for number in 0..<40_000 {
                let address = "10.0.\(number >> 8).\(number & 255)"
                #expect(await limits.take(address: address, .read).isAllowed)
                let id = UInt64(number)
                if number % 2 == 0 {
                    _ = await limits.take(UserID(high: 9, low: id), SignInID(high: 9, low: id), .read)
                }
            }
            #expect(limits.count <= 16_384 + 8_192)
            #expect(limits.count > 8_000)
        }
    }

    @Test func `a million keys fit a table of thousands, which keeps what is used`() {
        var table = Generations<Int, Int>(capacity: 4_096)
        var made = 0
        for key in 0..<1_000_000 {
            _ = table.value(key) { 1 }
            // Asked for now and then, as a busy client's is.
            if key % 1_000 == 0 {
                _ = table.value(-1) {
                    made += 1
                    return 2
                }
            }
            if table.count > 4_096 { Issue.record("\(table.count) at \(key)") }
        }
        #expect(made == 1)
    }

    @Test func `what a client is told parses as the draft's fields, and shows no key`() async throws {
        try await at { limits, _ in
            var last = Int64.max
            for number in 0...240 {
                let verdict = await limits.take(Self.user, Self.phone, .run)
                let (policies, limit) = try fields(of: verdict)
                #expect(policies.map(\.name) == ["person", "device", "run"])
                #expect(policies.map { $0.parameters["q"] } == [400, 320, 240])
                #expect(policies.allSatisfy { $0.parameters["w"] == 8 })
                let item = try #require(limit.first)
                #expect(limit.count == 1 && item.name == "run")
                let left = try #require(item.parameters["r"])
                #expect(left >= 0 && (number == 240 ? left == 0 : left < last))
                #expect(item.parameters["t"].map { $0 >= 1 } == true)
                last = left
                #expect(verdict.isAllowed == (number < 240))
            }
            let stranger = try fields(of: await limits.take(address: "2001:db8::1", .auth))
            #expect(stranger.policies.map(\.name) == ["sign-in", "sign-in-network"])
            #expect(stranger.policies.map { $0.parameters["w"] } == [120, 120])
        }
    }

    private func fields(
        of verdict: RateVerdict
    ) throws -> (policies: [StructuredList.Item], limit: [StructuredList.Item]) {
        let meter = RequestMeter(.read)
        meter.verdict = verdict
        var found: [String: String] = [:]
        meter.describe { found[$0] = $1 }
        #expect(Set(found.keys) == ["ratelimit-policy", "ratelimit"])
        let all = found.values.joined()
        #expect(!all.contains("usr_") && !all.contains("dev_") && !all.contains("2001"))
        return (
            try #require(StructuredList.parse(found["ratelimit-policy"] ?? "")),
            try #require(StructuredList.parse(found["ratelimit"] ?? ""))
        )
    }

    @Test func `the reader of the fields refuses what the grammar does not have`() {
        #expect(StructuredList.parse("\"a\";q=1;w=2, \"b\";r=0") != nil)
        for wrong in ["", "a;q=1", "\"a\";q=1,", "\"a\";Q=1", "\"a\";q=1.5", "\"a\";q", "\"a\" \"b\"", "\"a\n\""] {
            #expect(StructuredList.parse(wrong) == nil, "\(wrong)")
        }
    }

    @Test func `a refusal is a problem of the registered type that names the policy`() throws {
        let problem = Problem.rateLimited("run", seconds: 3)
        let json = try JSONReader.parse(problem.encoded(requestID: "req_1"))
        #expect(json["type"]?.string == "https://iana.org/assignments/http-problem-types#quota-exceeded")
        #expect(json["violated-policies"]?.array?.compactMap(\.string) == ["run"])
        #expect(json["code"]?.string == "rate_limited")
        #expect(problem.status == 429 && problem.retryAfter == 3)
        let busy = try JSONReader.parse(Problem.overloaded("x").encoded(requestID: "req_1"))
        #expect(busy["type"]?.string == "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity")
    }

    @Test func `a clock that stands still or is set back locks nobody out for longer than a bucket`() {
        let bucket = RateBucket("person", "a", RatePolicy(name: "person", burst: 4, interval: .seconds(1)))
        for _ in 0..<4 { bucket.charge(1, at: 1_000_000_000) }
        #expect(!bucket.judge(at: 1_000_000_000).isAllowed)
        #expect(bucket.judge(at: 0).retryAfter == 1_000_000)
        bucket.charge(0, at: 0)
        #expect(bucket.judge(at: 1_000_000).isAllowed)
    }

    @Test(arguments: [1, 2, 3, 10, 333, 1_000_000]) func `every setting makes rates that let somebody through`(
        setting: Int
    ) {
        let settings = RateSettings(
            requestsPerSecond: setting,
            anonymousRequestsPerSecond: setting,
            signInsPerMinute: setting
        )
        let kinds = RouteClass.allCases.compactMap { settings.kind($0) }
        let all = [settings.person, settings.device, settings.address, settings.network, settings.signIn]
        for policy in all + [settings.signInNetwork, settings.all] + kinds {
            #expect(policy.burst >= 1 && policy.interval >= 1 && policy.window >= 1)
        }
    }
}

struct AddressBlockTests {
    @Test(arguments: [
        ("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8::1", "2001:db8:0:0:ffff::2"), ("", "not an address"),
    ]) func `addresses of one client are one block`(one: String, other: String) {
        #expect(AddressBlock(one) == AddressBlock(other))
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1"), ("::c000:201", "192.0.2.1"), ("0.0.0.0", ""),
    ]) func `addresses of two clients are two blocks`(one: String, other: String) {
        #expect(AddressBlock(one) != AddressBlock(other))
        #expect(AddressBlock(one).text != AddressBlock(other).text)
    }

    @Test func `only IPv6 has a site around it`() {
        #expect(AddressBlock("192.0.2.1").aggregate == nil)
        #expect(AddressBlock("2001:db8:1:2::3").aggregate == AddressBlock("2001:db8:1:ffff::").aggregate)
        #expect(AddressBlock("2001:db8:1::").aggregate != AddressBlock("2001:db8:2::").aggregate)
    }
}

extension RateLimits {
    /// Charges a person's request from a device.
    fileprivate func take(_ user: UserID, _ device: SignInID, _ kind: RouteClass) async -> RateVerdict {
        await take(.person(Person(user: user, signIn: device, expiresAt: Timestamp(milliseconds: 0))), kind)
    }
}
