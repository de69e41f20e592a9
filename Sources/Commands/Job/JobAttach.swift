import Core
package import Platform

/// `errand attach`: watches a job from its start to its end, as `errand run` does.
package struct JobAttach: Verb {
    package static let words = ["attach"]
    package static let usage = "JOB [--after POSITION] [--json] [--on-interrupt WHAT]"
    package static let summary = "Watch a job to its end, and exit with its code."
    package static let signals = Interrupts.listened
    package static let options =
        [
            Option("--after", "POSITION", "only what comes after ATTEMPT.SEQ, such as 1.42"),
            Option("--json", "print the events as they are, one a line"),
        ] + WatchOptions.interrupt

    private let job: JobID
    private let form: JobViewer.Form
    private let position: LogPosition
    private let onInterrupt: WatchOptions.OnInterrupt

    package init(_ arguments: Arguments) throws(UsageError) {
        job = try WatchOptions.job(arguments.exactly("JOB")[0])
        form = arguments.has("--json") ? .events : .readable
        position = try WatchOptions.position(arguments)
        onInterrupt = try WatchOptions.onInterrupt(arguments)
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let interrupts = try Interrupts(on: loop)
        defer { interrupts.close() }
        let client = try await Client.open(on: loop)
        onInterrupt.arm(interrupts, job, client, terminal)
        let viewer = JobViewer(job: job, after: position, form: form, style: client.style)
        return try await JobFollow(job, viewer, client: client).run()
    }
}
