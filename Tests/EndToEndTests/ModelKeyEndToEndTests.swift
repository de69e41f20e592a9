import Bytes
import Glibc
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Model keys of people and teams, against an installation that lets them name gateways of this machine.
    @Suite(.serialized, .timeLimit(.minutes(10)), .sharedInstallation(["ERRAND_MODEL_HOSTS": "127.0.0.1"]))
    struct ModelKeys {}
}

/// A key that must turn up nowhere.
private func canary() -> String { "sk-canary-\(UInt64.random(in: 1 << 62 ... .max))-wxyz" }

extension EndToEnd.ModelKeys {
    private func agentJob(_ prompt: String, _ client: ErrandClient, _ project: String) async throws -> JSONValue {
        try await client.finished(try await client.prompt(prompt, in: project))
    }

    @Test func `a key is set, shown and removed by commands that read it from a file or a pipe`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.member("commander@example.org")
        let ready = try await errand.ready()
        let environment = [
            "ERRAND_URL": ready["url"]?.string ?? "", "ERRAND_CA": ready["ca_file"]?.string ?? "",
            "ERRAND_TOKEN": await client.token ?? "",
        ]
        try await Gateway.with(errand, key: canary()) { gateway in
            let file = "\(errand.data)/../key-\(UInt32.random(in: 0 ... .max))"
            try Files.writeAtomically(file, Array("\(gateway.key)\n".utf8), mode: 0o600)
            for (words, team) in [(["account", "model-key"], []), (["team", "model-key"], ["commander@example.org"])] {
                let show = try await errand.errand(words + ["show"] + team, environment)
                #expect(show.status == .exited(3), "\(show.errors)")
                let options = ["--base-url", gateway.url, "--key-file", file]
                let set = try await errand.errand(words + ["set"] + team + options, environment)
                #expect(set.status.isSuccess && set.errors.contains("the model provider takes it"), "\(set.errors)")
                let shown = try await errand.errand(words + ["show"] + team + ["--json"], environment)
                let document = try JSONReader.parse(Array(shown.output.utf8))
                #expect(document["last_four"]?.string == "wxyz" && document["base_url"]?.string == gateway.url)
                let removed = try await errand.errand(words + ["remove"] + team, environment)
                #expect(removed.status.isSuccess, "\(removed.errors)")
                for outcome in [show, set, shown, removed] {
                    #expect(!outcome.output.contains(gateway.key) && !outcome.errors.contains(gateway.key))
                }
            }
            // Nothing on standard input, and no word of the command line is taken for a key.
            let empty = try await errand.errand(["account", "model-key", "set"], environment)
            #expect(empty.status == .exited(2) && empty.errors.contains("the key is empty"))
            let typed = try await errand.errand(["account", "model-key", "set", gateway.key], environment)
            #expect(typed.status == .exited(2))
            let piped = "exec \(BuiltPrograms.errand) account model-key set --base-url \(gateway.url) < \(file)"
            let names = environment.map { "\($0)=\($1)" }
            let pipe = try await errand.run(names + ["HOME=/nonexistent", "sh", "-c", piped])
            #expect(pipe.status.isSuccess, "\(pipe.errors)")
            try await client.expect([204], .delete, "/v1/me/model-key")
        }
    }

    @Test func `a wrong key is told at once, and an inner address never reached`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.member("wrong@example.org")
        try await Gateway.with(errand, key: canary()) { gateway in
            let refused = try await client.send(.put, "/v1/me/model-key", gateway.form(key: "sk-of-nobody-at-all"))
            #expect(refused.status == 422 && refused.json["code"]?.string == "model_key_refused", "\(refused.text)")
            #expect(!refused.text.contains("nobody"))
            let port = try #require(gateway.url.split(separator: ":").last)
            for url in [
                "http://localhost:\(port)", "https://10.0.0.1", "https://169.254.169.254", "https://[::1]:\(port)",
                "http://0.0.0.0:\(port)", "https://[::ffff:127.0.0.1]:\(port)", "https://localhost:\(port)",
                "https://127.1:\(port)",
            ] {
                let form = JSONObject([
                    ("provider", .string("compatible")), ("base_url", .string(url)), ("key", .string(gateway.key)),
                ])
                let answer = try await client.send(.put, "/v1/me/model-key", .object(form))
                #expect(
                    answer.status == 422 && answer.json["code"]?.string == "invalid_fields",
                    "\(url): \(answer.text)"
                )
                #expect(answer.json["errors"]?.array?.first?["pointer"]?.string == "/base_url", "\(url)")
            }
            #expect(try await client.send(.get, "/v1/me/model-key").status == 404)
            #expect(try await client.send(.put, "/v1/me/model-key", gateway.form()).status == 200)
            try await client.expect([204], .delete, "/v1/me/model-key")
        }
    }

    @Test(.enabled(if: BuiltPrograms.agent != nil, "ERRAND_AGENT_PATH names no agent"))
    func `an agent runs with its submitter's key, its team's, or the stand-in, and says which`() async throws {
        let errand = try SharedInstallation.get()
        let owner = try await errand.member("keyholder@example.org")
        let project = try await owner.project()
        let team = try #require(try await owner.expect([200], .get, "/v1/projects/\(project)")["team_id"]?.string)
        try await Gateway.with(errand, key: canary()) { gateway in
            var job = try await agentJob("standin: say one", owner, project)
            #expect(job.state == "succeeded" && job["model_key"]?.string == "stand_in", "\(job)")
            try await owner.expect([200], .put, "/v1/teams/\(team)/model-key", gateway.form())
            job = try await agentJob("standin: say two", owner, project)
            #expect(job.state == "succeeded" && job["model_key"]?.string == "team", "\(job)")
            try await owner.expect([200], .put, "/v1/me/model-key", gateway.form())
            job = try await agentJob("standin: say three", owner, project)
            #expect(job.state == "succeeded" && job["model_key"]?.string == "user", "\(job)")
            // A key of one's own that went bad is no reason to use the team's.
            try await owner.expect([200], .put, "/v1/me/model-key?verify=false", gateway.form(key: "sk-gone-bad-0000"))
            job = try await agentJob("standin: say four", owner, project)
            #expect(job.state == "failed" && job.reason == "auth_failed", "\(job)")
            #expect(job["model_key"]?.string == "user")
            for path in ["/v1/me/model-key", "/v1/teams/\(team)/model-key"] {
                try await owner.expect([204], .delete, path)
            }
            job = try await agentJob("standin: say five", owner, project)
            #expect(job.state == "succeeded" && job["model_key"]?.string == "stand_in", "\(job)")
        }
    }

    @Test(
        .enabled(if: BuiltPrograms.agent != nil, "ERRAND_AGENT_PATH names no agent"),
        .enabled(if: isRoot, "only root looks into other processes")
    )
    func `while an agent works its key is in the worker's memory and in no file, log, argument or environment`()
        async throws
    {
        let errand = try SharedInstallation.get()
        let client = try await errand.member("scanned@example.org")
        let project = try await client.project()
        try await Gateway.with(errand, key: canary()) { gateway in
            let key = Array(gateway.key.utf8)
            try await client.expect([200], .put, "/v1/me/model-key", gateway.form())
            let job = try await client.prompt("standin: bash sleep 8640007", in: project)
            let sleeper = try await self.process("8640007", errand)
            let tree = ProcessTable.tree(of: try await errand.pid())
            let jobUsers: Set<UInt32> = Set(sleeper.users)
            let inside = ProcessTable.all().filter { !jobUsers.isDisjoint(with: $0.users) }
            #expect(inside.count >= 2 && !jobUsers.contains(0), "\(inside)")
            for process in inside + tree {
                let environment = (try? Files.readAll("/proc/\(process.pid)/environ", limit: 4 << 20)) ?? []
                #expect(environment.firstRange(of: key) == nil, "\(process)")
                #expect(!process.arguments.contains { $0.contains(gateway.key) }, "\(process)")
            }
            #expect(try ProcessMemory.contains(key, of: try await errand.pid(of: .worker)))
            let elsewhere = tree.filter { process in
                ["postgres", "redis-server", "errand-sandbox"].contains {
                    process.arguments.first?.contains($0) == true
                }
            }
            #expect(elsewhere.count > 3)
            for process in inside + elsewhere where ProcessEntry(pid: process.pid) != nil {
                #expect(try !ProcessMemory.contains(key, of: process.pid), "\(process)")
            }
            #expect(await errand.hasLogged(gateway.key) == false)
            #expect(try await errand.run(["grep", "-rlsaF", gateway.key, errand.data]).status == .exited(1))
            try await client.expect([200, 202], .post, "/v1/jobs/\(job)/cancel")
            try await client.finished(job)
            try await client.expect([204], .delete, "/v1/me/model-key")
        }
    }

    /// The process that a marker among its arguments tells, once it runs.
    private func process(_ marker: String, _ errand: RunningErrand) async throws -> ProcessEntry {
        let end = Instant.now.advanced(by: .seconds(60))
        while Instant.now < end {
            let found = ProcessTable.all().first { $0.arguments.contains(marker) && $0.arguments.first == "sleep" }
            if let found { return found }
            try await errand.loop.run { [loop = errand.loop] in
                _ = await LoopCondition().wait(timeout: .milliseconds(50), on: loop)
            }
        }
        throw NeverHappened(what: "a process \(marker)")
    }
}
