import Bytes
import Glibc
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// `errand up` itself is killed, stopped, and started twice.
    @Suite(.timeLimit(.minutes(5)))
    struct Stop {}
}

extension EndToEnd.Stop {
    @Test func `a second start after a kill takes everything over`() async throws {
        try await RunningErrand.with { errand in
            var client = try await errand.administrator()
            let project = try await client.project()
            let lost = try await client.shell("echo begun; sleep 600", in: project)
            let behind = try await client.shell("echo behind", in: project)
            let script = "if [ -e been ]; then echo second; else touch been; echo first; sleep 600; fi"
            let again = try await client.shell(script, in: try await client.project(), [("max_attempts", .integer(2))])
            try await JobViewer(lost, client).until(stdout: "begun\n")
            try await JobViewer(again, client).until(stdout: "first\n")
            let before = ProcessTable.tree(of: try await errand.pid())
            #expect(before.count > 6)
            await errand.signal(SIGKILL)
            #expect(await errand.waitForEnd() == .signaled(SIGKILL))
            try await errand.launch()
            client = try await errand.administrator()
            let end = try await client.finished(lost)
            #expect(end.state == "failed" && end.reason == "worker_lost")
            #expect(try await client.output(lost) == "begun\n")
            #expect(try await client.finished(behind).state == "succeeded")
            let second = JobViewer(again, client)
            try await second.finish()
            #expect(await second.completed?.state == "succeeded")
            try await expectWhole(second, attempt: 2)
            #expect(ProcessTable.remaining(of: before).isEmpty)
        }
    }

    @Test func `a second start beside the first is refused and names its process`() async throws {
        try await RunningErrand.with { errand in
            let second = try await errand.errand(["up", "--data", errand.data, "--listen", "127.0.0.1:0"])
            #expect(!second.status.isSuccess)
            #expect(second.errors.contains("process \(try await errand.pid())"))
            let client = try await errand.administrator()
            let job = try await client.shell("echo still here", in: try await client.project())
            #expect(try await client.finished(job).state == "succeeded")
        }
    }

    @Test func `administration goes on while nothing runs, and leaves nothing running`() async throws {
        try await RunningErrand.with { errand in
            let email = "offline@example.org"
            await errand.signal(SIGTERM)
            #expect(await errand.waitForEnd() == .exited(0))
            let elsewhere = try await errand.errand(["admin", "user", "list", "--data", "\(errand.data)/api"])
            #expect(elsewhere.status == .exited(5) && elsewhere.errors.contains("no directory of `errand up`"))
            let made = try await errand.errand(["admin", "user", "create", email, "--json", "--data", errand.data])
            #expect(made.status.isSuccess, "\(made.errors)")
            #expect(made.errors.contains("starting its database for this"))
            let password = try #require(try JSONReader.parse(Array(made.output.utf8))["password"]?.string)
            #expect(!Files.exists("\(errand.data)/postgres/15/postmaster.pid"))
            let list = try await errand.errand(["admin", "user", "list", "--data", errand.data])
            #expect(list.status.isSuccess && list.output.contains(email))
            try await errand.launch()
            let client = try await errand.newClient()
            try await client.signIn(email, password)
            #expect(try await client.send(.get, "/v1/me").status == 200)
            let beside = try await errand.errand(["admin", "user", "list", "--data", errand.data])
            #expect(beside.output == list.output && !beside.errors.contains("starting"))
        }
    }

    @Test func `the master key is rotated while nothing runs, and stays with the API`() async throws {
        try await RunningErrand.with { errand in
            let key = JSONObject([("provider", .string("anthropic")), ("key", .string("sk-kept-over-a-rotation"))])
            var client = try await errand.administrator()
            try await client.expect([200], .put, "/v1/me/model-key?verify=false", .object(key))
            let file = "\(errand.data)/api/master-keys.json"
            let before = try #require(try Files.status(file))
            await errand.signal(SIGTERM)
            #expect(await errand.waitForEnd() == .exited(0))
            let rotate = ["admin", "key", "rotate-master", "--json", "--data", errand.data]
            let stopped = try await errand.errand(rotate)
            #expect(stopped.status.isSuccess, "\(stopped.errors)")
            let after = try #require(try Files.status(file))
            #expect(after.userID == before.userID && after.groupID == before.groupID && after.mode & 0o777 == 0o600)
            try await errand.launch()
            client = try await errand.administrator()
            try await client.expect([200], .get, "/v1/me/model-key")
            // To wrap a secret anew is to open it first.
            let running = try await errand.errand(rotate)
            for outcome in [stopped, running] {
                let done = try JSONReader.parse(Array(try #require(outcome.output.split(separator: "\n").last).utf8))
                #expect(done["rewrapped"]?.integer == 1 && done["damaged"] == .array([]), "\(outcome.output)")
            }
            try await client.expect([204], .delete, "/v1/me/model-key")
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a signal stops every process, also those of a running job`(number: Int32) async throws {
        try await RunningErrand.with(["ERRAND_SHUTDOWN_SECONDS": "1"]) { errand in
            let client = try await errand.administrator()
            let job = try await client.shell("echo begun; sleep 600", in: try await client.project())
            try await JobViewer(job, client).until(stdout: "begun\n")
            let processes = ProcessTable.tree(of: try await errand.pid())
            #expect(processes.contains { $0.arguments.contains("600") })
            await errand.signal(number)
            #expect(await errand.waitForEnd() == .exited(0))
            let left = ProcessTable.remaining(of: processes)
            #expect(left.isEmpty, "\(left)")
            #expect(!Files.exists("\(errand.data)/ready.json"))
        }
    }

    @Test func `a request that is under way at the stop is answered and kept`() async throws {
        try await RunningErrand.with { errand in
            let client = try await errand.administrator()
            let body = ErrandClient.command(["echo", "kept"], in: try await client.project()).encoded()
            let halves = [Array(body.prefix(body.count / 2)), Array(body.dropFirst(body.count / 2))]
            let pieces = PiecedBody(halves, on: client.loop) {
                await errand.signal(SIGTERM)
                try await client.refusesConnections()
            }
            let answer = try await client.send(.post, "/v1/jobs", type: "application/json", pieces)
            #expect(answer.status == 202, "\(answer.text)")
            #expect(await errand.waitForEnd() == .exited(0))
            try await errand.launch()
            let after = try await errand.administrator()
            let job = try #require(answer.json["id"]?.string)
            #expect(try await after.finished(job).state == "succeeded")
            #expect(try await after.output(job) == "kept\n")
        }
    }
}
