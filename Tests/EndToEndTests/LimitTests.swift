import Bytes
import HTTP
import Platform
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

extension EndToEnd.Limits {
    @Test func `neither FLUSHALL nor a restart forgets failed sign-ins`() async throws {
        try await RunningErrand.with(["ERRAND_SIGN_INS_PER_MINUTE": "1000"]) { errand in
            let client = try await errand.newClient()
            let form = JSONValue.object(
                JSONObject([("email", .string("someone@example.org")), ("password", .string("wrong battery staple"))])
            )
            func wait() async throws -> Int? {
                let answer = try await client.send(.post, "/v1/auth/login", form)
                #expect([401, 429].contains(answer.status))
                return answer.headers["retry-after"].flatMap { Int($0) }
            }
            // Five are free, then 1, 2 and 4 seconds: what comes behind them outlives the restart.
            var longest = 0
            while longest < 8 {
                let seconds = try await wait() ?? 0
                longest = max(longest, seconds)
                if seconds > 0, longest < 8 { await client.pause(.milliseconds(200)) }
            }
            let flushed = try await errand.redis("FLUSHALL")
            #expect(flushed == "+OK\r\n")
            let afterFlush = try await wait()
            #expect(afterFlush.map { $0 > 1 } == true)
            try await errand.crash(.api)
            try await errand.recovered(.api)
            let afterRestart = try await errand.newClient().send(.post, "/v1/auth/login", form)
            #expect(afterRestart.status == 429)
        }
    }

    @Test func `the administrator's command sets a team's quota, and the team is held to it`() async throws {
        try await RunningErrand.with { errand in
            let client = try await errand.member("quota@example.org")
            let me = try await client.expect([200], .get, "/v1/me")
            let team = try #require(me["teams"]?.array?.first?["id"]?.string)
            let set = try await errand.errand(
                ["admin", "limit", "set", team, "projects", "1", "--json", "--data", errand.data]
            )
            #expect(set.status.isSuccess, "\(set.errors)")
            let first = try await client.send(.post, "/v1/projects", .object(JSONObject([("name", .string("one"))])))
            #expect(first.status == 201)
            let second = try await client.send(.post, "/v1/projects", .object(JSONObject([("name", .string("two"))])))
            #expect(second.status == 409 && second.json["code"]?.string == "quota_exceeded")
            let shown = try await errand.errand(["admin", "limit", "show", team, "--json", "--data", errand.data])
            let quotas = try JSONReader.parse(Array(shown.output.utf8)).array ?? []
            let projects = try #require(quotas.first { $0["name"]?.string == "projects" })
            #expect(projects["used"]?.integer == 1 && projects["limit"]?.integer == 1)
            // The others are what the settings say.
            #expect(quotas.first?["limit"]?.integer == 10_000 && quotas.last?["limit"]?.isNull == true)
            let reset = try await errand.errand([
                "admin", "limit", "set", team, "projects", "default", "--data", errand.data,
            ])
            #expect(reset.status.isSuccess)
            try await client.expect([201], .post, "/v1/projects", .object(JSONObject([("name", .string("two"))])))
            for (limit, isAllowed) in [("1", false), ("2", true)] {
                _ = try await errand.errand(["admin", "limit", "set", team, "members", limit, "--data", errand.data])
                let added = try await errand.errand([
                    "admin", "member", "add", team, "admin@localhost", "--data", errand.data,
                ])
                #expect(added.status.isSuccess == isAllowed, "\(added.errors)")
                #expect(isAllowed || added.errors.contains("quota members"), "\(added.errors)")
            }
            let nobody = "team_00000000000000000000000000"
            let unknown = try await errand.errand(["admin", "limit", "show", nobody, "--data", errand.data])
            #expect(!unknown.status.isSuccess)
            let wrong = try await errand.errand(["admin", "limit", "set", team, "cats", "1", "--data", errand.data])
            #expect(!wrong.status.isSuccess && wrong.errors.contains("queued_jobs"))
        }
    }
}

extension EndToEnd.Unharmed {
    @Test func `an archive whose length nobody said is held to the team's room while it comes`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.member("room@example.org")
        let project = try await client.project()
        let team = try #require(try await client.expect([200], .get, "/v1/projects/\(project)")["team_id"]?.string)
        let set = try await errand.errand([
            "admin", "limit", "set", team, "stored_bytes", "4096", "--data", errand.data,
        ])
        #expect(set.status.isSuccess, "\(set.errors)")
        func put(_ blocks: Int) async throws -> ErrandClient.Answer {
            let archive = PiecedBody((0..<blocks).map { _ in [UInt8](repeating: 0, count: 1_024) }, on: client.loop)
            return try await client.send(
                .put,
                "/v1/projects/\(project)/workspace",
                type: "application/x-tar",
                archive
            )
        }
        func used() async throws -> Int64? {
            let items = try await client.expect([200], .get, "/v1/teams/\(team)/quotas")["items"]?.array ?? []
            return items.first { $0["name"]?.string == "stored_bytes" }?["used"]?.integer
        }
        let refused = try await put(5)
        #expect(refused.status == 409 && refused.json["code"]?.string == "quota_exceeded", "\(refused.text)")
        #expect(refused.json["violated-policies"]?.array?.compactMap(\.string) == ["stored_bytes"])
        let afterRefusal = try await used()
        #expect(afterRefusal == 0)
        let taken = try await put(4)
        #expect(taken.status == 200, "\(taken.text)")
        let afterwards = try await used()
        #expect(afterwards == 4_096)
    }
}
