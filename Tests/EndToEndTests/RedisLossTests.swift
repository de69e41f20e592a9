import Bytes
import HTTP
import TestSupport
import Testing

extension EndToEnd {
    /// Redis is killed in the middle of a job, and emptied with work in it.
    @Suite(.timeLimit(.minutes(5)))
    struct RedisLoss {}
}

extension EndToEnd.RedisLoss {
    @Test func `nothing is lost when Redis dies, and what is submitted meanwhile runs`() async throws {
        try await RunningErrand.with { errand in
            let client = try await errand.administrator()
            let job = try await client.shell(Ticks.script(80, every: "0.05"), in: try await client.project())
            let viewer = JobViewer(job, client)
            try await viewer.until(stdout: "tick 10\n")
            try await errand.crash(.redis)
            let meanwhile = try await client.shell("echo meanwhile", in: try await client.project())
            #expect(try await client.finished(meanwhile).state == "succeeded")
            #expect(try await client.output(meanwhile) == "meanwhile\n")
            try await viewer.finish()
            #expect(await viewer.completed?.state == "succeeded")
            #expect(await viewer.stdout == Ticks.output(80))
            try await expectWhole(viewer)
            try await errand.recovered(.redis)
            let after = try await client.shell("echo after", in: try await client.project())
            #expect(try await client.finished(after).state == "succeeded")
        }
    }

    @Test func `two hundred queued jobs survive FLUSHALL and run exactly once`() async throws {
        try await RunningErrand.with(["ERRAND_WORKER_SLOTS": "2"]) { errand in
            let client = try await errand.administrator()
            var blockers: [String] = []
            for _ in 1...2 {
                let job = try await client.shell("echo begun; sleep 600", in: try await client.project())
                try await JobViewer(job, client).until(stdout: "begun\n")
                blockers.append(job)
            }
            var projects: [String] = []
            for _ in 1...4 { projects.append(try await client.project()) }
            var jobs: [(project: String, id: String)] = []
            for number in 1...200 {
                let project = projects[number % projects.count]
                jobs.append((project, try await client.shell("echo \(number) >> ran; echo \(number)", in: project)))
            }
            #expect(try await errand.redis("DBSIZE") != ":0\r\n")
            #expect(try await errand.redis("FLUSHALL") == "+OK\r\n")
            let queued = try await client.expect([200], .get, "/v1/jobs?state=queued&limit=200")
            #expect(queued["items"]?.array?.count == 200)
            for job in blockers { try await client.expect([200, 202], .post, "/v1/jobs/\(job)/cancel") }
            for (index, job) in jobs.enumerated() {
                let viewer = JobViewer(job.id, client)
                try await viewer.finish()
                #expect(await viewer.completed?.state == "succeeded")
                #expect(await viewer.stdout == "\(index + 1)\n")
                try await expectWhole(viewer)
            }
            for (offset, project) in projects.enumerated() {
                let last = try await client.shell("sort -n ran", in: project)
                #expect(try await client.finished(last).state == "succeeded")
                let numbers = (1...200).filter { $0 % projects.count == offset }
                #expect(try await client.output(last) == numbers.map { "\($0)\n" }.joined())
            }
            for job in blockers { #expect(try await client.finished(job).state == "cancelled") }
        }
    }
}
