import Bytes
import Core
import Crypto
package import Platform

/// `errand run`: sends the agent, or runs a command, and shows it live.
package struct JobRun: Verb {
    package static let words = ["run"]
    package static let usage = "[options] PROMPT…  |  --command [options] -- ARGV…"
    package static let summary = "Send the agent on an errand, or run a command, and watch it live."
    package static let signals = Interrupts.listened
    package static let options =
        [
            Option("--command", "run a command instead of sending the agent"),
            Option("--project", "PROJECT", "the project, by name or id; the default one unless given"),
            Option("--workspace", "MODE", "project (default), or none for an empty one that vanishes"),
            Option("--timeout", "TIME", "end the job after this many seconds, or 10m, 2h, 1d"),
            Option("--priority", "N", "0 is served first, 9 last; 5 unless given"),
            Option("--max-attempts", "N", "how often to try when a worker is lost; once unless given"),
            Option("--model", "MODEL", "agent: the model"),
            Option("--max-turns", "N", "agent: end after this many turns"),
            Option("--env", "NAME=VALUE", "command: set a variable; NAME alone passes on your own; repeatable"),
            Option("--stdin", "FILE", "command: what it reads; `-` is standard input"),
            Option("--detach", "print the job's id and return at once"),
            Option("--no-follow", "the same as --detach"),
            Option("--json", "print the events as they are, one a line; with --detach the job"),
        ] + WatchOptions.interrupt

    private let work: RunRequest
    private let project: String?
    private let detaches: Bool
    private let isJSON: Bool
    private let onInterrupt: WatchOptions.OnInterrupt

    package init(_ arguments: Arguments) throws(UsageError) {
        work = try RunRequest(arguments)
        project = arguments.value("--project")
        detaches = arguments.has("--detach") || arguments.has("--no-follow")
        isJSON = arguments.has("--json")
        onInterrupt = try WatchOptions.onInterrupt(arguments)
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let interrupts = try Interrupts(on: loop)
        defer { interrupts.close() }
        let client = try await Client.open(on: loop)
        let project = try await client.project(project)
        let document = try await client.session.post(
            work.path,
            try await work.body(project: project.id),
            headers: [("idempotency-key", "errand-" + Hex.encode(SecureRandom.bytes(16)))],
            repeats: .safe
        )
        guard let job = JobID(document["id"]?.string ?? "") else {
            throw CommandFailure("the server's answer is no job", exitCode: ExitCode.unavailable)
        }
        if detaches {
            terminal.put(isJSON ? document.encoded() + [UInt8(ascii: "\n")] : Array("\(job)\n".utf8))
            return ExitCode.done
        }
        if !isJSON, !work.isCommand || client.style.isNoteTerminal {
            client.output.note("\(job) in \(VisibleText.line(project.name))")
        }
        let viewer = JobViewer(job: job, form: isJSON ? .events : .readable, style: client.style)
        onInterrupt.arm(interrupts, job, client, terminal)
        return try await JobFollow(job, viewer, client: client).run()
    }
}
