import Auth
import Bytes
import Core
import HTTP
import Store
import Testing

@testable import API

/// `GET /v1/teams/{id}/audit`, over a real database.
@Suite struct ListAuditTests {
    /// A team with a few acts in its log, and its owner's token.
    private static func stage(_ world: APIWorld, acts: Int) async throws -> (APIPerson, token: String, path: String) {
        let person = try await world.person()
        let token = try await world.device(of: person).token
        try await world.store.audit.record(
            (0..<acts).map { number in
                AuditDraft(
                    at: world.time.now,
                    team: person.team.id,
                    actor: number % 2 == 0 ? .system : .user(person.user.id, device: nil),
                    action: "job.submitted",
                    target: "job_\(number)",
                    address: "=cmd|calc",
                    details: [AuditDetail("name", "\u{1b}[31m")]
                )
            }
        )
        return (person, token, "/v1/teams/\(person.team.id)/audit")
    }

    private static func numbers(_ answer: APIAnswer) -> [Int64] {
        (answer.json["items"]?.array ?? []).compactMap { $0["seq"]?.integer }
    }

    @Test func `pages go from the newest to the oldest, each entry once, while others are written`() async throws {
        try await withAPI { world in
            let (_, token, path) = try await Self.stage(world, acts: 25)
            var seen: [Int64] = []
            var cursor: String?
            repeat {
                let answer = try await world.send(
                    .get,
                    path + "?limit=10" + (cursor.map { "&cursor=\($0)" } ?? ""),
                    token: token
                )
                #expect(answer.status == 200)
                seen += Self.numbers(answer)
                cursor = answer.json["next_cursor"]?.string
            } while cursor != nil
            #expect(seen == Array((1...25).reversed().map(Int64.init)))
        }
    }

    @Test func `a listing is narrowed by actor, action, target and time`() async throws {
        try await withAPI { world in
            let (person, token, path) = try await Self.stage(world, acts: 6)
            func found(_ query: String) async throws -> [Int64] {
                Self.numbers(try await world.send(.get, "\(path)?\(query)", token: token))
            }
            #expect(try await found("actor=\(person.user.id)&action=job.submitted") == [6, 4, 2])
            #expect(try await found("target=job_2") == [3])
            #expect(try await found("action=job.cancelled").isEmpty)
            #expect(try await found("from=2000-01-01T00:00:00Z&target=job_0") == [1])
            #expect(try await found("to=2000-01-01T00:00:00Z").isEmpty)
        }
    }

    @Test(arguments: [
        "limit=0", "limit=201", "cursor=x", "cursor=1-", "cursor=-1-1", "from=yesterday", "to=", "actor=", "action=%7f",
        "target=%1b%5b", "colour=red", "actor=a&actor=b",
    ])
    func `a parameter that cannot be meant is refused by name`(query: String) async throws {
        try await withAPI { world in
            let (_, token, path) = try await Self.stage(world, acts: 1)
            for accept in ["application/json", "text/csv"] {
                let answer = try await world.send(.get, "\(path)?\(query)", token: token, headers: [("accept", accept)])
                #expect(answer.status == 400 && answer.code == "malformed_parameter", "\(answer.text)")
            }
        }
    }

    @Test func `an NDJSON export verifies by itself, and the reading of the log is in the log`() async throws {
        try await withAPI { world in
            let (person, token, path) = try await Self.stage(world, acts: 450)
            let answer = try await world.send(
                .get,
                path,
                token: token,
                headers: [("accept", "text/html;q=0.1, application/x-ndjson")]
            )
            #expect(answer.status == 200 && answer.headers["content-type"] == "application/x-ndjson")
            #expect(answer.headers["content-disposition"] == "attachment; filename=\"audit-\(person.team.id).ndjson\"")
            var verifier = AuditExportVerifier(AuditCheckpointShelf())
            for line in answer.body.split(separator: 0x0a) { verifier.add(Array(line)) }
            verifier.finish()
            // The export's own entry is the last of it.
            #expect(verifier.reports.map(\.entries) == [451] && verifier.reports.map(\.fault) == [nil])
            _ = try await world.send(.get, "\(path)?target=job_1", token: token)
            let acts = try await world.acts(of: .team(person.team.id)).suffix(2)
            #expect(acts.map(\.action) == ["audit.exported", "audit.read"])
            #expect(acts.allSatisfy { $0.actor.text == person.user.id.description })
            let last = try #require(
                try await world.store.audit.stored(.team(person.team.id), after: .start, limit: 1_000).last
            )
            #expect(
                last.personal.flatMap { AuditPersonalPart($0) }?.details == [AuditDetail("target", "job_1")]
            )
        }
    }

    @Test func `a CSV export is a heading and a harmless row for each entry`() async throws {
        try await withAPI { world in
            let (_, token, path) = try await Self.stage(world, acts: 3)
            let answer = try await world.send(
                .get,
                "\(path)?action=job.submitted",
                token: token,
                headers: [("accept", "text/csv")]
            )
            let rows = answer.text.split(separator: "\r\n")
            #expect(answer.headers["content-type"] == "text/csv" && rows.count == 4)
            #expect(rows.dropFirst().allSatisfy { $0.contains("\"'=cmd|calc\"") && !$0.contains("\u{1b}") })
            let head = try await world.send(.head, path, token: token, headers: [("accept", "text/csv")])
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test func `an export is whole: a page size is refused`() async throws {
        try await withAPI { world in
            let (_, token, path) = try await Self.stage(world, acts: 1)
            let limited = try await world.send(.get, "\(path)?limit=5", token: token, headers: [("accept", "text/csv")])
            #expect(limited.status == 400 && limited.code == "malformed_parameter")
        }
    }

    @Test(arguments: [
        (nil, nil), ("application/json", nil), ("*/*", nil), ("application/x-ndjson", AuditExportFormat.ndjson),
        ("Text/CSV; charset=utf-8", .csv), ("application/json, text/csv", nil), ("text/csv;q=0, */*", nil),
        ("text/csv;q=0, application/x-ndjson", .ndjson), ("text/html", nil), ("", nil),
    ])
    func `what a client accepts decides the form`(accept: String?, format: AuditExportFormat?) {
        #expect(AuditExportFormat(accept: accept) == format)
    }
}
