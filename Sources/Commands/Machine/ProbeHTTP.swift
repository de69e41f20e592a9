import Bytes
import HTTP
package import Platform

/// `errand probe-http`: what the HTTP/1.1 parser makes of byte strings, for comparison with other parsers.
package struct ProbeHTTP: Verb {
    package static let words = ["probe-http"]
    package static let usage = "< LINES"
    package static let summary =
        "Print the HTTP parser's verdict on byte strings in hex, one a line."

    /// A few hundred thousand requests.
    private static let inputLimit = 256 << 20

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let input = try await BlockingPool.run {
            try Files.readAll(0, name: "standard input", limit: ProbeHTTP.inputLimit)
        }
        var output: [UInt8] = []
        for line in input.split(separator: UInt8(ascii: "\n")) {
            guard let bytes = Hex.decode(String(decoding: line, as: UTF8.self)) else {
                throw CommandFailure("a line is not hexadecimal", exitCode: ExitCode.usage)
            }
            let verdict = ParserProbe.read(bytes).first
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("verdict", verdict?.verdict)
            writer.member("body", verdict?.bodyLength)
            writer.member("reason", verdict?.reason)
            writer.endObject()
            output += writer.bytes + [UInt8(ascii: "\n")]
        }
        terminal.put(output)
        return ExitCode.done
    }
}
