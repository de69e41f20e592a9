import Bytes
import TestSupport
import Testing

extension EndToEnd {
    /// PostgreSQL is killed in the middle of a job.
    @Suite(.timeLimit(.minutes(5)))
    struct PostgresDeath {}
}

extension EndToEnd.PostgresDeath {
    @Test func `the job completes with a whole log, and every job accepted before runs`() async throws {
        try await RunningErrand.with { errand in
            let client = try await errand.administrator()
            let job = try await client.shell(Ticks.script(100, every: "0.05"), in: try await client.project())
            let viewer = JobViewer(job, client)
            try await viewer.until(stdout: "tick 20\n")
            let project = try await client.project()
            var accepted: [String] = []
            for number in 1...10 { accepted.append(try await client.shell("echo \(number)", in: project)) }
            try await errand.crash(.postgres)
            try await errand.recovered(.postgres)
            for (index, job) in accepted.enumerated() {
                let waiting = JobViewer(job, client)
                try await waiting.finish()
                #expect(await waiting.completed?.state == "succeeded")
                #expect(await waiting.stdout == "\(index + 1)\n")
                try await expectWhole(waiting)
            }
            try await viewer.finish()
            #expect(await viewer.completed?.state == "succeeded")
            #expect(await viewer.stdout == Ticks.output(100))
            try await expectWhole(viewer)
        }
    }
}
