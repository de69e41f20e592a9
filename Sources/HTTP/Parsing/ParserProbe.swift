import Bytes

/// What the parser makes of a byte string, for comparison with other parsers.
package enum ParserProbe {
    /// One message or its refusal.
    package struct Verdict: Sendable, Equatable {
        /// `accept`, `reject` or `incomplete`.
        package var verdict: String
        /// The method, when the head was accepted.
        package var method: String?
        /// The target, when the head was accepted.
        package var target: String?
        /// The decoded body's length, when the message was accepted.
        package var bodyLength: Int?
        /// The offset behind the message, or where the refused message began.
        package var end: Int
        /// The status of a refusal.
        package var status: Int?
        /// The rule that refused.
        package var reason: String?
    }

    /// Parses pipelined requests until one is refused or incomplete, one verdict for each.
    package static func read(_ bytes: [UInt8], cutAt cut: Int? = nil) -> [Verdict] {
        var verdicts: [Verdict] = []
        var start = 0
        while start < bytes.count {
            let verdict = readOne(Array(bytes[start...]), cut: cut.map { $0 - start })
            verdicts.append(verdict.moved(by: start))
            guard verdict.verdict == "accept" else { break }
            start += verdict.end
        }
        return verdicts
    }

    /// The verdicts as JSON lines.
    package static func verdicts(of bytes: [UInt8]) -> [UInt8] {
        var lines: [UInt8] = []
        for verdict in read(bytes) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("verdict", verdict.verdict)
            if let method = verdict.method { writer.member("method", method) }
            if let target = verdict.target { writer.member("target", target) }
            if let length = verdict.bodyLength { writer.member("body_length", length) }
            if let status = verdict.status { writer.member("status", status) }
            if let reason = verdict.reason { writer.member("reason", reason) }
            writer.member("end", verdict.end)
            writer.endObject()
            lines += writer.bytes + [0x0A]
        }
        return lines
    }

    private static func readOne(_ bytes: [UInt8], cut: Int?) -> Verdict {
        var parser = RequestHeadParser()
        do throws(HeadError) {
            // Fed in two pieces when a cut is asked for, as from a socket.
            if let cut, cut > 0, cut < bytes.count, let length = try parser.parse(Array(bytes[..<cut]).span) {
                return body(bytes, parser.head, length, cut: cut)
            }
            guard let length = try parser.parse(bytes.span) else {
                return Verdict(verdict: "incomplete", end: bytes.count)
            }
            return body(bytes, parser.head, length, cut: cut)
        } catch {
            return Verdict(verdict: "reject", end: 0, status: error.status, reason: error.reason)
        }
    }

    private static func body(_ bytes: [UInt8], _ head: RequestHead, _ start: Int, cut: Int?) -> Verdict {
        var verdict = Verdict(verdict: "accept", end: start)
        verdict.method = head.method.rawValue
        verdict.target = bytes.span.text(head.target)
        verdict.bodyLength = 0
        switch head.framing {
        case .none, .untilClose: break
        case .length(let length):
            verdict.bodyLength = length
            verdict.end = start + length
            if verdict.end > bytes.count { return Verdict(verdict: "incomplete", end: bytes.count) }
        case .chunked:
            var decoder = ChunkedDecoder()
            var data: [UInt8] = []
            do throws(ChunkError) {
                var index = start
                if let cut, cut > start {
                    index = try decoder.decode(Array(bytes[..<cut]).span, from: index, into: &data, limit: .max)
                }
                index = try decoder.decode(bytes.span, from: index, into: &data, limit: .max)
                guard decoder.isDone else { return Verdict(verdict: "incomplete", end: bytes.count) }
                verdict.bodyLength = data.count
                verdict.end = index
            } catch {
                return Verdict(verdict: "reject", end: 0, status: 400, reason: "chunked body: \(error)")
            }
        }
        return verdict
    }
}

extension ParserProbe.Verdict {
    fileprivate func moved(by offset: Int) -> Self {
        var moved = self
        moved.end += offset
        return moved
    }
}
