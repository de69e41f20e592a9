import Bytes
import Core
package import Platform

/// `errand cancel`: asks jobs to end.
package struct JobCancel: Verb {
    package static let words = ["cancel"]
    package static let usage = "JOB… [--json]"
    package static let summary = "Ask jobs to end; asking again changes nothing."
    package static let options = [Option("--json", "print the jobs' documents as an array")]

    private let jobs: [JobID]
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        var jobs: [JobID] = []
        for word in arguments.words { jobs.append(try WatchOptions.job(word)) }
        guard !jobs.isEmpty else { throw UsageError("expected: JOB…") }
        self.jobs = jobs
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        var documents: [JSONValue] = []
        var code = ExitCode.done
        for job in jobs {
            do {
                let document = try await client.session.post("/v1/jobs/\(job)/cancel", repeats: .safe)
                documents.append(document)
                if !isJSON { terminal.print("\(job) \(Self.outcome(of: document))") }
            } catch let failure as CommandFailure {
                // The others are still asked.
                terminal.note("errand: \(job): \(failure)")
                if code == ExitCode.done { code = failure.exitCode }
            }
        }
        if isJSON { terminal.put(JSONValue.array(documents).encoded() + [UInt8(ascii: "\n")]) }
        return code
    }

    private static func outcome(of document: JSONValue) -> String {
        guard let facts = JobFacts(document) else { return "asked to end" }
        if facts.state == .cancelled { return "cancelled" }
        return facts.state.isFinal ? "had ended already: \(facts.state.rawValue)" : "asked to end"
    }
}
