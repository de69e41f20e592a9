import Bytes
import Glibc
import HTTP
import Platform
import TestSupport
import Testing

/// The key, and an address where nobody takes it.
private enum Given {
    static let key = "sk-installation-\(UInt64.random(in: 1 << 62 ... .max))"
    static let settings = ["ANTHROPIC_API_KEY": key, "ERRAND_MODEL_URL": "https://127.0.0.1:1"]
}

extension EndToEnd {
    /// An installation that was given a model key of its own.
    @Suite(.serialized, .timeLimit(.minutes(5)), .sharedInstallation(Given.settings))
    struct InstallationKey {}
}

extension EndToEnd.InstallationKey {
    @Test func `it serves the administrator's team and no other`() async throws {
        let errand = try SharedInstallation.get()
        let (administrator, other) = (
            try await errand.administrator(), try await errand.member("keyless@example.org")
        )
        func submit(_ client: ErrandClient) async throws -> ErrandClient.Answer {
            let project = try await client.project()
            let body = JSONObject([("project_id", .string(project)), ("prompt", .string("hello"))])
            return try await client.send(.post, "/v1/claude/execute", .object(body))
        }
        let refused = try await submit(other)
        #expect(refused.status == 409 && refused.json["code"]?.string == "model_key_missing", "\(refused.text)")
        let accepted = try await submit(administrator)
        #expect(accepted.status == 202, "\(accepted.text)")
        let job = try #require(accepted.json["id"]?.string)
        try await administrator.expect([200, 202], .post, "/v1/jobs/\(job)/cancel")
        try await administrator.finished(job)
        // A founder of another team has no claim to it either.
        let form = JSONObject([("name", .string("second"))])
        let team = try #require(try await administrator.expect([201], .post, "/v1/teams", .object(form))["id"]?.string)
        let fields = JSONObject([("name", .string("elsewhere")), ("team_id", .string(team))])
        let project = try #require(
            try await administrator.expect([201], .post, "/v1/projects", .object(fields))["id"]?.string
        )
        let body = JSONObject([("project_id", .string(project)), ("prompt", .string("hello"))])
        #expect(try await administrator.send(.post, "/v1/claude/execute", .object(body)).status == 409)
    }

    @Test func `it stands in a file for the API's user, and in no environment, argument or log`() async throws {
        let errand = try SharedInstallation.get()
        let key = Array(Given.key.utf8)
        let file = "\(errand.data)/handed/api/ANTHROPIC_API_KEY"
        #expect(try Files.readAll(file, limit: 1_024).firstRange(of: key) != nil)
        let status = try #require(try Files.status(file))
        let api = try #require(ProcessEntry(pid: try await errand.pid(of: .api)))
        #expect(status.mode & 0o777 == 0o600 && status.userID == api.users.first)
        let tree = ProcessTable.tree(of: try await errand.pid())
        #expect(tree.count > 4)
        for process in tree {
            let environment = (try? Files.readAll("/proc/\(process.pid)/environ", limit: 1 << 20)) ?? []
            #expect(environment.firstRange(of: key) == nil, "\(process)")
            #expect(!process.arguments.contains { $0.contains(Given.key) }, "\(process)")
        }
        // `errand up` was given it in its environment, where the name still stands.
        let own = try Files.readAll("/proc/\(try await errand.pid())/environ", limit: 1 << 20)
        #expect(own.firstRange(of: Array("ANTHROPIC_API_KEY=\0".utf8)) != nil)
        #expect(await errand.hasLogged(Given.key) == false)
        if isRoot {
            let worker = try #require(ProcessEntry(pid: try await errand.pid(of: .worker)))
            let user = try #require(worker.users.first)
            let change = ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "cat", file]
            #expect(try await !errand.run(change).status.isSuccess)
        }
    }

    @Test(arguments: [nil, "everybody"]) func `a server with a key and no team does not start`(
        team: String?
    ) async throws {
        let errand = try SharedInstallation.get()
        var settings = [
            "ERRAND_TLS_CERT": "\(errand.data)/tls/server.pem", "ERRAND_TLS_KEY": "\(errand.data)/tls/server-key.pem",
            "ERRAND_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "ERRAND_LISTEN": "127.0.0.1:0",
            "ERRAND_REDIS_URL": "redis://127.0.0.1:1", "ERRAND_DATA": "\(errand.data)/../serve",
        ]
        settings["ERRAND_MODEL_TEAM"] = team
        let served = try await errand.errand(["serve"], settings)
        #expect(served.status == .exited(1) && served.errors.contains("ERRAND_MODEL_TEAM"), "\(served.errors)")
        #expect(!served.errors.contains(Given.key))
        #expect(try await errand.ready()["api_pid"]?.integer != nil)
    }
}
