import Bytes
import Core
import HTTP
import Platform
import Store
import Testing

@testable import API

/// Quotas as clients meet them.
@Suite(.timeLimit(.minutes(5))) struct QuotaAPITests {
    private static func set(_ name: QuotaName, _ limit: Int64, _ person: APIPerson, _ world: APIWorld) async throws {
        let audit = AuditDraft(at: world.time.now, team: person.team.id, actor: .system, action: "quota.changed")
        try #require(
            await world.store.quotas.setQuota(
                name,
                .limit(limit),
                of: person.team.id,
                now: world.time.now,
                audit: audit
            )
        )
    }

    private static func object(_ members: (String, JSONValue)...) -> JSONValue { .object(JSONObject(members)) }

    private static func expectRefusal(_ answer: APIAnswer, _ quota: QuotaName, status: Int) {
        #expect(answer.status == status && answer.code == "quota_exceeded", "\(answer.text)")
        #expect(answer.json["type"]?.string == "https://iana.org/assignments/http-problem-types#quota-exceeded")
        #expect(answer.json["violated-policies"]?.array?.compactMap(\.string) == [quota.rawValue])
        #expect((answer.headers["retry-after"] != nil) == (status == 429))
    }

    @Test func `a team sees its quotas, and another's are not there`() async throws {
        try await withAPI { world in
            let (person, stranger) = (try await world.person(), try await world.person())
            let token = try await world.device(of: person).token
            try await Self.set(.projects, 1, person, world)
            _ = try await world.job(of: person)
            let answer = try await world.send(.get, "/v1/teams/\(person.team.id)/quotas", token: token)
            #expect(answer.status == 200)
            let items = answer.json["items"]?.array ?? []
            #expect(items.compactMap { $0["name"]?.string } == QuotaName.allCases.map(\.rawValue))
            #expect(items.compactMap { $0["used"]?.integer } == [1, 0, 0, 1, 1, 0])
            #expect(items.map { $0["limit"]?.integer } == [nil, nil, nil, 1, nil, nil])
            #expect(items.compactMap { $0["is_default"]?.bool } == [true, true, true, false, true, true])
            let theirs = try await world.device(of: stranger).token
            #expect(try await world.send(.get, "/v1/teams/\(person.team.id)/quotas", token: theirs).status == 404)
        }
    }

    @Test func `what goes beyond a quota is refused with its name, and a wait where waiting helps`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let project = try await world.job(of: person).projectID.description
            try await Self.set(.projects, 1, person, world)
            let another = try await world.send(
                .post,
                "/v1/projects",
                Self.object(("name", .string("another"))),
                token: token
            )
            Self.expectRefusal(another, .projects, status: 409)
            let command = Self.object(
                ("project_id", .string(project)),
                ("kind", .string("command")),
                ("argv", .array([.string("true")]))
            )
            try await Self.set(.queuedJobs, 2, person, world)
            #expect(try await world.send(.post, "/v1/jobs", command, token: token).status == 202)
            Self.expectRefusal(try await world.send(.post, "/v1/jobs", command, token: token), .queuedJobs, status: 429)
            try await Self.set(.queuedJobs, 9, person, world)
            try await Self.set(.spendPerDay, 0, person, world)
            // Without any model the job would be refused for that.
            let key = Self.object(("provider", .string("anthropic")), ("key", .string("sk-of-a-test-of-quotas")))
            #expect(try await world.send(.put, "/v1/me/model-key", key, token: token).status == 200)
            let agent = Self.object(("project_id", .string(project)), ("prompt", .string("hello")))
            let spent = try await world.send(.post, "/v1/claude/execute", agent, token: token)
            Self.expectRefusal(spent, .spendPerDay, status: 429)
            let wait = try #require(spent.headers["retry-after"].flatMap { Int($0) })
            #expect((1...86_400).contains(wait))
            #expect(try await world.send(.post, "/v1/jobs", command, token: token).status == 202)
            try await Self.set(.storedBytes, 0, person, world)
            Self.expectRefusal(
                try await world.send(.post, "/v1/jobs", command, token: token),
                .storedBytes,
                status: 409
            )
        }
    }

    @Test func `an archive without room is refused before a worker is asked`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let project = try await world.job(of: person).projectID
            try await Self.set(.storedBytes, 100, person, world)
            func put(_ length: Int) async throws -> APIAnswer {
                let request = try HTTPRequest(
                    method: .put,
                    target: "/v1/projects/\(project)/workspace",
                    headers: HTTPHeaders([("authorization", "Bearer \(token)"), ("content-type", "application/x-tar")]),
                    body: InMemoryBody([UInt8](repeating: 0, count: length)),
                    remoteAddress: "192.0.2.1",
                    isSecure: true
                )
                return try await APIAnswer(world.replicas[0].router.respond(to: request), on: world.loop)
            }
            Self.expectRefusal(try await put(101), .storedBytes, status: 409)
            // No worker is there: the room that was taken is given back.
            for _ in 0..<3 { #expect(try await put(100).code == "worker_unavailable") }
        }
    }

    @Test func `an invitation into a full team is refused, and stays open until there is room`() async throws {
        try await withAPI { world in
            let (owner, guest, stranger) = (
                try await world.person(), try await world.person(), try await world.person()
            )
            let token = try await world.device(of: owner).token
            let path = "/v1/teams/\(owner.team.id)/invites"
            let made = try await world.send(.post, path, .object(JSONObject([])), token: token)
            let secret = try #require(made.json["token"]?.string)
            func accept(_ person: APIPerson) async throws -> APIAnswer {
                let theirs = try await world.device(of: person).token
                let body = Self.object(("token", .string(secret)))
                return try await world.send(.post, "/v1/invites/accept", body, token: theirs)
            }
            try await Self.set(.members, 1, owner, world)
            Self.expectRefusal(try await accept(guest), .members, status: 409)
            let listed = try await world.send(.get, path, token: token)
            #expect(listed.json["items"]?.array?.first?["state"]?.string == "open")
            try await Self.set(.members, 2, owner, world)
            #expect(try await accept(guest).status == 200)
            let another = try await world.send(.post, path, .object(JSONObject([])), token: token)
            let body = Self.object(("token", .string(try #require(another.json["token"]?.string))))
            let late = try await world.send(
                .post,
                "/v1/invites/accept",
                body,
                token: world.device(of: stranger).token
            )
            Self.expectRefusal(late, .members, status: 409)
        }
    }

    @Test(arguments: [
        (0, 86_400_000), (86_399_999, 86_400_000), (86_400_000, 172_800_000), (-1, 0), (-86_400_000, 0),
    ]) func `a day ends at midnight in UTC`(now: Int64, end: Int64) {
        #expect(Timestamp(milliseconds: now).nextDay == Timestamp(milliseconds: end))
    }
}
