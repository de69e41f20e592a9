import Bytes
import Core
import HTTP
import Testing

@testable import API

struct QueryReaderTests {
    private func reader(_ query: String) throws -> QueryReader {
        let request = try HTTPRequest(method: .get, target: "/v1/jobs?" + query)
        return try QueryReader(request, allowed: ["limit", "state", "after"], repeatable: ["state"])
    }

    @Test(arguments: ["color=red", "limit=1&limit=2", "LIMIT=1"])
    func `an unknown or repeated parameter is refused`(query: String) {
        let error = #expect(throws: ProblemError.self) { try reader(query) }
        #expect(error?.problem.code == "malformed_parameter")
    }

    @Test(arguments: [("", 50), ("limit=1", 1), ("limit=200", 200)])
    func `a page size within bounds is taken`(query: String, size: Int) throws {
        #expect(try reader(query).limit() == size)
    }

    @Test(arguments: ["0", "201", "-1", "+1", "1.0", "x", "", "99999999999999999999"])
    func `a page size out of bounds is refused`(text: String) throws {
        let query = try reader("limit=\(text)")
        #expect(throws: ProblemError.self) { try query.limit() }
    }

    @Test func `states come repeated or with commas`() throws {
        let query = try reader("state=queued,running&state=failed")
        #expect(try query.choices("state", JobState.self) == [.queued, .running, .failed])
        let bad = try reader("state=asleep")
        #expect(throws: ProblemError.self) { try bad.choices("state", JobState.self) }
    }

    @Test(arguments: ["1", "1.", ".1", "1.-1", "01.1", "1.1.1", "a.b", "9999999999.1"])
    func `a position that is none is refused`(text: String) throws {
        let query = try reader("after=\(text)")
        #expect(throws: ProblemError.self) { try query.position("after") }
    }

    @Test func `a position is attempt and number`() throws {
        #expect(try reader("after=3.1048").position("after") == LogPosition(attempt: 3, seq: 1_048))
    }

    private func job(attempt: Int) -> Job {
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        var job = Job(
            id: JobID(at: now),
            teamID: TeamID(at: now),
            projectID: ProjectID(at: now),
            submittedBy: .person(UserID(at: now)),
            workspace: .none,
            policy: .contained,
            work: .command(CommandSpec(argv: ["true"], environment: [:], standardInput: nil)),
            timeoutSeconds: nil,
            createdAt: now,
            runAt: now
        )
        job.attempt = attempt
        return job
    }

    @Test(arguments: [(0, "", 0), (1, "", 1), (3, "", 3), (1, "attempt=1", 1), (3, "attempt=2", 2)])
    func `the newest attempt is taken, or the one asked for`(had: Int, query: String, expected: Int) throws {
        let request = try HTTPRequest(method: .get, target: "/v1/jobs?" + query)
        let reader = try QueryReader(request, allowed: ["attempt"])
        #expect(try reader.attempt(of: job(attempt: had)).attempt == expected)
    }

    @Test(arguments: [(0, "1"), (1, "2"), (3, "4"), (3, "2147483647")])
    func `an attempt that the job has not had is not found`(had: Int, number: String) throws {
        let request = try HTTPRequest(method: .get, target: "/v1/jobs?attempt=" + number)
        let reader = try QueryReader(request, allowed: ["attempt"])
        let error = #expect(throws: ProblemError.self) { try reader.attempt(of: job(attempt: had)) }
        #expect(error?.problem.status == 404)
        #expect(error?.problem.code == "attempt_not_found")
    }

    @Test(arguments: [(0, "0.0", true), (0, "1.0", true), (0, "1.1", false), (1, "1.99", true), (1, "2.0", false)])
    func `a position lies in an attempt that the job has had`(had: Int, text: String, isThere: Bool) throws {
        let position = try #require(LogPosition(text))
        if isThere { return try position.require(in: job(attempt: had)) }
        let error = #expect(throws: ProblemError.self) { try position.require(in: job(attempt: had)) }
        #expect(error?.problem.code == "attempt_not_found")
    }
}
