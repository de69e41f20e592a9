import Bytes
import TestSupport
import Testing

extension EndToEnd {
    /// What leaves an installation as it was.
    @Suite(.sharedInstallation, .timeLimit(.minutes(5)))
    struct Unharmed {}
}

extension EndToEnd.Unharmed {
    @Test func `a viewer that is killed goes on where it was and holds every record once`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.administrator()
        let job = try await client.shell(Ticks.script(200, every: "0.02"), in: try await client.project())
        let program = try await errand.start(["attach", job, "--json"], try await errand.clientEnvironment())
        let seen = try await program.lines(atLeast: 40).map { try JSONReader.parse(Array($0.utf8)) }
        await program.kill()
        #expect(!seen.contains { $0["type"]?.string == "job:completed" })
        let held = try seen.filter { $0["type"]?.string == "job:output" }.map { try JobViewer.Record($0) }
        #expect(held.count > 10)
        let viewer = JobViewer(job, client, after: held)
        try await viewer.finish()
        try await expectWhole(viewer)
        #expect(await viewer.stdout == Ticks.output(200))
        #expect(await viewer.cuts == 0)
    }

    @Test func `a viewer that comes after the end reads the same log`() async throws {
        let client = try await SharedInstallation.get().administrator()
        let job = try await client.shell("seq 1 20000; echo oops >&2; exit 3", in: try await client.project())
        let live = JobViewer(job, client)
        try await live.finish()
        let late = JobViewer(job, client)
        try await late.finish()
        try await expectWhole(live)
        try await expectWhole(late)
        #expect(await live.records == late.records)
        #expect(await late.completed?["exit_code"]?.integer == 3)
    }
}
