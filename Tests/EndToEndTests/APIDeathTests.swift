import Bytes
import HTTP
import TestSupport
import Testing

extension EndToEnd {
    /// The API is killed in the middle of a job.
    @Suite(.timeLimit(.minutes(5)))
    struct APIDeath {}
}

extension EndToEnd.APIDeath {
    @Test func `the job goes on, its viewer misses nothing, and what is submitted again is accepted once`() async throws
    {
        try await RunningErrand.with { errand in
            let client = try await errand.administrator()
            let job = try await client.shell(Ticks.script(120, every: "0.05"), in: try await client.project())
            let viewer = JobViewer(job, client)
            try await viewer.until(stdout: "tick 20\n")
            let project = try await client.project()
            let keys = (1...20).map { "key-\($0)" }
            let before = await EndToEnd.APIDeath.submit(keys, project, client, dying: errand)
            try await errand.recovered(.api)
            var jobs: [String: String] = [:]
            for key in keys {
                let id = try await client.shell("echo \(key) >> ran; echo \(key)", in: project, key: key)
                #expect(before[key] == nil || before[key] == id)
                #expect(try await client.shell("echo \(key) >> ran; echo \(key)", in: project, key: key) == id)
                jobs[key] = id
            }
            #expect(Set(jobs.values).count == keys.count)
            for key in keys { #expect(try await client.finished(try #require(jobs[key])).state == "succeeded") }
            let all = try await client.expect([200], .get, "/v1/jobs?project_id=\(project)&limit=100")
            #expect(all["items"]?.array?.count == keys.count)
            let last = try await client.shell("sort ran", in: project)
            #expect(try await client.finished(last).state == "succeeded")
            #expect(try await client.output(last) == keys.sorted().map { $0 + "\n" }.joined())
            try await viewer.finish()
            #expect(await viewer.cuts > 0)
            #expect(await viewer.completed?.state == "succeeded")
            #expect(await viewer.stdout == Ticks.output(120))
            try await expectWhole(viewer)
        }
    }

    /// Submits all at once while the API is killed; gives the jobs of the keys that were answered.
    private static func submit(
        _ keys: [String],
        _ project: String,
        _ client: ErrandClient,
        dying errand: RunningErrand
    ) async -> [String: String] {
        await withTaskGroup(of: (String, String?).self) { group in
            for (index, key) in keys.enumerated() {
                group.addTask {
                    if index == keys.count / 2 { try? await errand.crash(.api) }
                    return (key, try? await client.shell("echo \(key) >> ran; echo \(key)", in: project, key: key))
                }
            }
            var answered: [String: String] = [:]
            for await (key, id) in group { answered[key] = id }
            return answered
        }
    }
}
