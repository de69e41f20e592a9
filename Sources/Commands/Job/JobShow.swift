import Bytes
import Core
package import Platform

/// `errand show`: everything about one job but its log.
package struct JobShow: Verb {
    package static let words = ["show"]
    package static let usage = "JOB [--json]"
    package static let summary = "Show one job and its result."
    package static let options = [Option("--json", "print the job's document")]

    private let job: JobID
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        job = try WatchOptions.job(arguments.exactly("JOB")[0])
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let document = try await client.session.get("/v1/jobs/\(job)")
        if isJSON {
            terminal.put(document.encoded() + [UInt8(ascii: "\n")])
        } else {
            for line in DocumentText.lines(document) { terminal.print(line) }
        }
        return ExitCode.done
    }
}
