import Bytes
import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The worker is killed in the middle of a job.
    @Suite(.sharedInstallation, .timeLimit(.minutes(5)))
    struct WorkerDeath {}
}

extension EndToEnd.WorkerDeath {
    @Test func `a job that may run once fails as lost, and what waits behind it runs`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.administrator()
        let project = try await client.project()
        let lost = try await client.shell("echo begun; sleep 600", in: project)
        var behind: [String] = []
        for number in 1...5 { behind.append(try await client.shell("echo number \(number)", in: project)) }
        let viewer = JobViewer(lost, client)
        try await viewer.until(stdout: "begun\n")
        try await errand.crash(.worker)
        try await viewer.finish()
        #expect(await viewer.completed?.state == "failed")
        #expect(await viewer.completed?.reason == "worker_lost")
        #expect(await viewer.stdout == "begun\n")
        try await expectWhole(viewer)
        for (index, job) in behind.enumerated() {
            #expect(try await client.finished(job).state == "succeeded")
            #expect(try await client.output(job) == "number \(index + 1)\n")
        }
        try await errand.recovered(.worker)
    }

    @Test func `without its sandbox server the worker ends at once, and its next process runs what comes`() async throws
    {
        let errand = try SharedInstallation.get()
        let client = try await errand.administrator()
        let project = try await client.project()
        let lost = try await client.shell("echo begun; sleep 600", in: project)
        let viewer = JobViewer(lost, client)
        try await viewer.until(stdout: "begun\n")
        let worker = try await errand.pid(of: .worker)
        let server = ProcessTable.tree(of: worker).first {
            $0.arguments.first == "errand-sandbox" && $0.parent == worker
        }
        await errand.expectEnd(of: .worker)
        #expect(kill(try #require(server).pid, SIGKILL) == 0)
        try await viewer.finish()
        #expect(await viewer.completed?.reason == "worker_lost")
        try await expectWhole(viewer)
        try await errand.recovered(.worker)
        #expect(try await errand.pid(of: .worker) != worker)
        let next = try await client.shell("echo next", in: project)
        #expect(try await client.finished(next).state == "succeeded")
    }

    @Test
    func `a worker that comes back in a new session to a new API has its old attempts ended at once, with a proof`()
        async throws
    {
        let errand = try SharedInstallation.get()
        let client = try await errand.administrator()
        let lost = try await client.shell(Ticks.script(10_000, every: "0.05"), in: try await client.project())
        let viewer = JobViewer(lost, client)
        // Long enough for the first ones to be stored.
        try await viewer.until(stdout: "tick 20\n")
        try Files.remove("\(errand.data)/worker/state/session.json")
        try await errand.crash(.worker)
        try await errand.crash(.api)
        let began = ContinuousClock.now
        try await viewer.finish()
        // The attempts of silent workers wait for twenty seconds.
        #expect(ContinuousClock.now - began < .seconds(15))
        #expect(await viewer.completed?.state == "failed")
        #expect(await viewer.completed?.reason == "worker_lost")
        #expect(await viewer.completed?["reason_text"]?.string?.contains("end of the log may be missing") == true)
        try await expectWhole(viewer)
        #expect(await !viewer.records.isEmpty)
        try await errand.recovered(.worker)
        try await errand.recovered(.api)
    }

    @Test func `a job that may run twice succeeds in its second attempt, and its viewer is told of the break`()
        async throws
    {
        let errand = try SharedInstallation.get()
        let client = try await errand.administrator()
        let script = "if [ -e been ]; then echo second; else touch been; echo first; sleep 600; fi"
        let job = try await client.shell(script, in: try await client.project(), [("max_attempts", .integer(2))])
        let viewer = JobViewer(job, client)
        try await viewer.until(stdout: "first\n")
        try await errand.crash(.worker)
        try await viewer.finish()
        #expect(await viewer.completed?.state == "succeeded")
        #expect(await viewer.events.filter { $0 == "reset" }.count == 1)
        #expect(await viewer.numbers(of: 1).first == 1)
        try await expectWhole(viewer, attempt: 2)
        #expect(try await client.output(job) == "second\n")
        let again = JobViewer(job, client)
        try await again.finish()
        #expect(await again.records == viewer.records)
        try await errand.recovered(.worker)
    }
}
