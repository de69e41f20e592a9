import Core
package import Platform

/// `errand logs`: shows what a job wrote.
package struct JobLogs: Verb {
    package static let words = ["logs"]
    package static let usage = "JOB [--follow] [--raw] [--after POSITION] [--json]"
    package static let summary = "Show a job's log, so far or to its end."
    package static let signals = Interrupts.listened
    package static let options = [
        Option("--follow", "go on until the job ends"),
        Option("-f", "the same"),
        Option("--raw", "what the job wrote and nothing else; an agent's own JSON lines"),
        Option("--after", "POSITION", "only what comes after ATTEMPT.SEQ, such as 1.42"),
        Option("--json", "print the events as they are, one a line"),
    ]

    private let job: JobID
    private let follows: Bool
    private let form: JobViewer.Form
    private let position: LogPosition

    package init(_ arguments: Arguments) throws(UsageError) {
        job = try WatchOptions.job(arguments.exactly("JOB")[0])
        follows = arguments.has("--follow") || arguments.has("-f")
        form = arguments.has("--json") ? .events : arguments.has("--raw") ? .raw : .readable
        position = try WatchOptions.position(arguments)
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let interrupts = try Interrupts(on: loop)
        defer { interrupts.close() }
        let client = try await Client.open(on: loop)
        let viewer = JobViewer(job: job, after: position, form: form, style: client.style)
        let follow = JobFollow(job, viewer, client: client, stopsWhenQuiet: !follows)
        let code = try await follow.run()
        guard let end = follow.viewer.end else {
            if form == .readable, code == ExitCode.done {
                terminal.note("errand: the job goes on; --follow shows the rest")
            }
            return code
        }
        // The log was shown, whatever became of the job; only a log that is not whole is a failure.
        return code == end.exitCode(of: follow.viewer.facts?.kind ?? .claude) ? ExitCode.done : code
    }
}
