import Bytes
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd.Unharmed {
    @Test func `a team lives its life by the command line`() async throws {
        let errand = try SharedInstallation.get()
        let mine = try await errand.clientEnvironment()
        let guest = try await errand.member("guest@example.org")
        var theirs = mine
        theirs["ERRAND_TOKEN"] = await guest.token
        func run(_ environment: [String: String], _ words: String...) async throws -> String {
            let outcome = try await errand.errand(words, environment)
            #expect(outcome.status.isSuccess, "\(words): \(outcome.errors)")
            return outcome.output
        }
        func json(_ environment: [String: String], _ words: [String]) async throws -> JSONValue {
            let outcome = try await errand.errand(words + ["--json"], environment)
            #expect(outcome.status.isSuccess, "\(words): \(outcome.errors)")
            return try JSONReader.parse(Array(outcome.output.utf8))
        }
        let id = try #require(try await json(mine, ["team", "create", "crew"])["id"]?.string)
        #expect(try await run(mine, "team", "list").contains(id))
        let link = try await run(mine, "team", "invite", "guest@example.org", "--role", "admin", "--team", "crew")
        #expect(link.contains("/invite?token=einv_"))
        let trimmed = String(link.prefix { $0 != "\n" })
        #expect(try await json(theirs, ["team", "accept", trimmed])["role"]?.string == "admin")
        #expect(try await errand.errand(["team", "accept", trimmed], theirs).status == .exited(3))
        #expect(try await json(mine, ["team", "members", "crew"]).array?.count == 2)
        _ = try await run(mine, "team", "role", "guest@example.org", "member", "--team", "crew")
        #expect(try await errand.errand(["team", "rename", "crew", "x"], theirs).status == .exited(4))
        _ = try await run(mine, "team", "rename", "crew", "band")
        #expect(try await json(mine, ["team", "show", "band"])["id"]?.string == id)
        _ = try await run(mine, "team", "invite", "--team", "band")
        let invites = try await json(mine, ["team", "invites", "band"]).array
        let open = try #require(invites?.first { $0["state"]?.string == "open" }?["id"]?.string)
        _ = try await run(mine, "team", "uninvite", open, "--team", "band")
        #expect(try await errand.errand(["team", "leave", "band", "--yes"], mine).status == .exited(1))
        _ = try await run(mine, "team", "transfer", "guest@example.org", "--team", "band", "--yes")
        _ = try await run(mine, "team", "leave", "band", "--yes")
        #expect(try await errand.errand(["team", "show", "band"], mine).status == .exited(3))
        #expect(try await json(theirs, ["team", "delete", id, "--yes"])["state"]?.string == "deleting")
        #expect(try await json(theirs, ["team", "restore", id])["state"]?.string == "active")
        // The machine's administrator, beside the server.
        let data = ["--data", errand.data]
        func admin(_ words: String...) async throws -> String {
            let outcome = try await errand.errand(["admin"] + words + data)
            #expect(outcome.status.isSuccess, "\(words): \(outcome.errors)")
            return outcome.output
        }
        #expect(try await admin("team", "list").contains("\(id)  band"))
        _ = try await admin("member", "add", id, "admin@localhost", "--role", "viewer")
        _ = try await admin("member", "role", id, "admin@localhost", "owner")
        _ = try await admin("member", "remove", id, "guest@example.org", "--yes")
        #expect(try await admin("member", "list", id).contains("owner  admin@localhost"))
        let last = try await errand.errand(["admin", "member", "remove", id, "admin@localhost", "--yes"] + data)
        #expect(last.status == .exited(1) && last.errors.contains("no owner"))
        _ = try await admin("team", "remove", id, "--yes")
        #expect(try await admin("team", "list").contains("\(id)  band  deleting"))
        _ = try await admin("team", "restore", id)
        _ = try await admin("team", "add", "third", "guest@example.org")
    }

    @Test func `a team whose week is over leaves neither rows nor a workspace`() async throws {
        let errand = try SharedInstallation.get()
        let owner = try await errand.member("leaver@example.org")
        let project = try await owner.project()
        let body = JSONObject([
            ("project_id", .string(project)), ("kind", .string("command")), ("workspace", .string("project")),
            ("argv", .array(["sh", "-c", "echo kept > note"].map { .string($0) })),
        ])
        let job = try #require(try await owner.expect([202], .post, "/v1/jobs", .object(body))["id"]?.string)
        #expect(try await owner.finished(job).state == "succeeded")
        let workspace = "\(errand.data)/worker/projects/\(project)"
        #expect(Files.exists(workspace))
        let team = try #require(try await owner.expect([200], .get, "/v1/projects/\(project)")["team_id"]?.string)
        try await owner.expect([202], .delete, "/v1/teams/\(team)")
        let row = "select id from projects where frozen_at is not null and deleted_at is null"
        #expect(try await errand.query(row).split(separator: "\n").count == 1)
        _ = try await errand.query(
            "update teams set deleted_at = now() - interval '8 days' where deleted_at is not null"
        )
        #expect(await errand.isGone(workspace), "the workspace is still there")
        #expect(try await owner.send(.get, "/v1/teams/\(team)").status == 404)
        #expect(try await owner.send(.get, "/v1/jobs/\(job)").status == 404)
        #expect(try await errand.query("select 1 from workspace_removals").isEmpty)
    }
}

extension RunningErrand {
    /// Whether a directory is removed within a minute.
    fileprivate func isGone(_ path: String) async -> Bool {
        let end = loop.now.advanced(by: .seconds(60))
        while Files.exists(path) {
            guard loop.now < end else { return false }
            _ = await LoopCondition().wait(timeout: .milliseconds(50), on: loop)
        }
        return true
    }

    /// Runs a statement in the system's scope as the servers' role, and gives its rows as text.
    fileprivate func query(_ statement: String) async throws -> String {
        let url = try #require(try ready()["postgres_url"]?.string)
        let outcome = try await run([
            "psql", "--no-psqlrc", "-qtA", "-v", "ON_ERROR_STOP=1", "-c",
            "set errand.scope = 'system'; \(statement)", url,
        ])
        #expect(outcome.status.isSuccess, "\(outcome.errors)")
        return outcome.output
    }
}
