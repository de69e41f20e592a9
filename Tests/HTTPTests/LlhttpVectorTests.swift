import HTTP
import Testing

@Suite struct `The llhttp vectors` {
    /// Where we are stricter than llhttp's default mode, and why.
    static let stricter: [String: String] = [
        "method: REPORT request": "a method that no route of ours has",
        "method: M-SEARCH request": "a method that no route of ours has",
        "method: PURGE request": "a method that no route of ours has",
        "method: SEARCH request": "a method that no route of ours has",
        "method: LINK request": "a method that no route of ours has",
        "method: SOURCE request": "a method that no route of ours has",
        "method: PRI request HTTP2": "a method that no route of ours has",
        "method: CONNECT request": "a tunnel is for the egress proxy only",
        "method: CONNECT request with CAPS": "a tunnel is for the egress proxy only",
        "method: CONNECT with body": "a tunnel is for the egress proxy only",
        "uri: Underscore in hostname": "a tunnel is for the egress proxy only",
        "method: SOURCE request with ICE": "another protocol than HTTP",
        "method: OPTIONS request with RTSP": "another protocol than HTTP",
        "method: ANNOUNCE request with RTSP": "another protocol than HTTP",
        "transfer-encoding: POST with `chunked` as last transfer-encoding": "we decode nothing but chunked",
        "transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)":
            "we decode nothing but chunked",
        "uri: Quotes in URI": "RFC 3986 wants quotes escaped",
        "uri: Fragment in URI": "a fragment is never sent",
        "uri: `host:port` and basic auth": "a user in a target is deprecated and deceives",
        "uri: Host terminated by a query string": "an empty line before the next request line",
    ]

    /// llhttp is told to skip these bodies, which a server is not.
    static let skipsBody: Set<String> = ["content-length: Content-Length reset when no body is received"]

    /// Adds a Host field where a case has none: the cases test other rules, and we demand one.
    private func withHost(_ bytes: [UInt8]) -> [UInt8] {
        let verdict = ParserProbe.read(bytes).first
        guard verdict?.reason == "missing host" else { return bytes }
        guard let end = bytes.firstIndex(of: 0x0A) else { return bytes }
        return bytes[...end] + Array("Host: example.com\r\n".utf8) + bytes[(end + 1)...]
    }

    @Test func `we accept what llhttp accepts, and the stricter cases are named`() throws {
        let cases = try LlhttpVectors.load().filter { !$0.type.contains("lenient") && !$0.isRefused }
            .filter { !Self.skipsBody.contains($0.name) }
        guard !cases.isEmpty else { return }
        var seen: Set<String> = []
        var agreed = 0
        for example in cases {
            let verdicts = ParserProbe.read(withHost(example.bytes))
            let accepted = verdicts.filter { $0.verdict == "accept" }
            let agrees =
                accepted.count == example.completeMessages && !verdicts.contains { $0.verdict == "reject" }
                && (accepted.isEmpty || accepted.reduce(0) { $0 + ($1.bodyLength ?? 0) } == example.bodyLength)
            if Self.stricter[example.name] != nil {
                #expect(!agrees, "\(example.name) agrees now: take it off the list")
                #expect(verdicts.contains { $0.verdict == "reject" }, "\(example.name): not refused but different")
                seen.insert(example.name)
            } else {
                #expect(agrees, "\(example.name): \(verdicts) against \(example.log)")
                agreed += 1
            }
        }
        #expect(seen == Set(Self.stricter.keys))
        print("llhttp accepts: \(agreed) agreed, \(seen.count) refused by name")
    }

    @Test func `we refuse what llhttp refuses`() throws {
        let cases = try LlhttpVectors.load().filter { !$0.type.contains("lenient") && $0.isRefused }
        for example in cases {
            let verdicts = ParserProbe.read(withHost(example.bytes))
            #expect(verdicts.last?.verdict != "accept", "\(example.name): \(verdicts)")
        }
        print("llhttp refuses: \(cases.count) refused here too")
    }

    @Test func `we refuse what only a lenient llhttp accepts`() throws {
        let cases = try LlhttpVectors.load().filter { $0.type.contains("lenient") }
        for example in cases {
            let verdicts = ParserProbe.read(withHost(example.bytes))
            #expect(verdicts.last?.verdict == "reject", "\(example.name): \(verdicts)")
        }
        print("llhttp lenient: \(cases.count) refused here")
    }

    @Test func `every case was read`() throws {
        let cases = try LlhttpVectors.load()
        guard !cases.isEmpty else { return }
        #expect(cases.count == 103)
        #expect(cases.filter { $0.type == "request" }.count == 87)
        #expect(cases.filter { Self.skipsBody.contains($0.name) }.count == 1)
    }

    @Test func `cutting a case anywhere changes no verdict`() throws {
        for example in try LlhttpVectors.load() {
            let bytes = withHost(example.bytes)
            let whole = ParserProbe.read(bytes)
            for cut in 1..<max(2, bytes.count) {
                #expect(ParserProbe.read(bytes, cutAt: cut) == whole, "\(example.name) cut at \(cut)")
            }
        }
    }
}
