import Bytes
import Operations
package import Platform

/// `errand doctor`: whether this machine can run Errand, and what to do where it cannot.
package struct Examine: Verb {
    package static let words = ["doctor"]
    package static let usage = "[--json]"
    package static let summary = "Check what this machine offers, and say how to mend what is missing."
    package static let options = [Option("--json", "print JSON")]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let findings = await Doctor.examine(try Configuration.load(), on: loop)
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginArray()
            for finding in findings {
                writer.beginObject()
                writer.member("name", finding.name)
                writer.member("verdict", finding.verdict.rawValue)
                writer.member("detail", finding.detail)
                writer.member("fix", finding.fix)
                writer.endObject()
            }
            writer.endArray()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.put(Array(Doctor.render(findings).utf8))
        }
        return findings.contains { $0.verdict == .failure } ? ExitCode.failed : ExitCode.done
    }
}
