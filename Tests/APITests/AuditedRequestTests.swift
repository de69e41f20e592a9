import Bytes
import Core
import HTTP
import Store
import Testing

@testable import API

/// What requests leave in the audit log.
@Suite struct AuditedRequestTests {
    private static func name(_ text: String) -> JSONValue { .object(JSONObject([("name", .string(text))])) }

    @Test func `an act says who, on which device, from where, by what client and in which request`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let device = try await world.device(of: person)
            let answer = try await world.send(
                .post,
                "/v1/projects",
                Self.name("one"),
                token: device.token,
                address: "203.0.113.7",
                headers: [("user-agent", "client/1")]
            )
            #expect(answer.status == 201)
            let stored = try await world.store.audit.stored(.team(person.team.id), after: .start, limit: 10)
            let last = try #require(stored.last)
            let entry = try #require(AuditEntry(canonical: last.canonical))
            #expect(entry.action == "project.created" && entry.outcome == .succeeded)
            #expect(entry.actor == .user(person.user.id, device: device.id))
            #expect(entry.request != nil && entry.target?.hasPrefix("prj_") == true)
            let part = try #require(last.personal.flatMap { AuditPersonalPart($0) })
            #expect(part.address == "203.0.113.7" && part.userAgent == "client/1")
            #expect(part.details == [AuditDetail("name", "one"), AuditDetail("policy", "contained")])
        }
    }

    @Test func `a request that a gate refuses is recorded, and one that it lets through is not`() async throws {
        try await withAPI { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            let token = try await world.device(of: mine).token
            let job = try await world.job(of: theirs)
            let own = try await world.job(of: mine)
            #expect(try await world.send(.get, "/v1/jobs/\(own.id)", token: token).status == 200)
            #expect(try await world.acts(of: .installation).allSatisfy { $0.outcome == .succeeded })
            #expect(try await world.send(.get, "/v1/jobs/\(job.id)", token: token).status == 404)
            #expect(
                try await world.send(.delete, "/v1/projects/\(job.projectID)", token: token, address: "192.0.2.9")
                    .status
                    == 404
            )
            let refused = try await world.acts(of: .installation).filter { $0.outcome == .refused }
            #expect(refused.map(\.action) == ["permission.refused", "permission.refused"])
            #expect(refused.map(\.target) == [job.id.description, job.projectID.description])
            #expect(refused.allSatisfy { $0.actor.text == mine.user.id.description && $0.team == nil })
            // Nothing of it stands in the other team's chain, where its members would read who looked for them.
            #expect(try await world.acts(of: .team(theirs.team.id)).allSatisfy { $0.outcome == .succeeded })
        }
    }

    @Test func `a role that does not suffice is recorded in the team's chain`() async throws {
        try await withAPI { world in
            let (owner, viewer) = (try await world.person(), try await world.person())
            _ = try await world.store.teams.addMember(
                viewer.user.id,
                to: owner.team.id,
                role: .viewer,
                now: world.time.now,
                audit: AuditDraft(at: world.time.now, team: nil, actor: .system, action: "member.added")
            )
            let job = try await world.job(of: owner)
            let token = try await world.device(of: viewer).token
            #expect(try await world.send(.post, "/v1/jobs/\(job.id)/cancel", token: token).status == 403)
            let last = try #require(try await world.acts(of: .team(owner.team.id)).last)
            #expect(last.action == "permission.refused" && last.outcome == .refused)
            #expect(last.target == job.id.description && last.actor.text == viewer.user.id.description)
        }
    }

    @Test func `of a flood of refusals each of the first is recorded and the rest of the minute counted`() async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let total = RefusalLog.perMinute + 25
            for _ in 0..<total {
                let answer = try await world.send(.get, "/v1/jobs/\(JobID(at: world.time.now))", token: token)
                #expect(answer.status == 404)
            }
            let refused = { (acts: [AuditEntry]) in acts.count { $0.outcome == .refused } }
            #expect(refused(try await world.acts(of: .installation)) == RefusalLog.perMinute)
            world.replicas[0].endpoints.refusals.closeAll()
            while refused(try await world.acts(of: .installation)) == RefusalLog.perMinute {}
            let stored = try await world.store.audit.stored(.installation, after: .start, limit: 1_000)
            let part = try #require(stored.last?.personal.flatMap { AuditPersonalPart($0) })
            #expect(part.details.first == AuditDetail("further", "25"))
        }
    }
}
