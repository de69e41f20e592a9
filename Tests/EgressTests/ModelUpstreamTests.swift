import Core
import HTTP
import Platform
import Testing
import Transport

@testable import Egress

@Suite struct ModelUpstreamTests {
    private func upstream(
        _ url: String,
        key: String = "k",
        reach: ModelReach = .anywhere,
        tls: TLSClientContext? = nil
    ) throws -> ModelUpstream {
        try ModelUpstream(ModelEndpoint(provider: .anthropic, baseURL: url, reach: reach), key: key, tls: tls)
    }

    @Test(arguments: [
        "https://api.example", "ftp://127.0.0.1", "api.example", "", "http://127.0.0.1/?key=1",
        "http://user@127.0.0.1/", "http://127.0.0.1/#x",
    ])
    func `an address that cannot be used is refused`(url: String) {
        #expect(throws: ModelEndpointError.self) { try upstream(url) }
    }

    @Test(arguments: ["", "a\r\nx: y", "a\u{0}"])
    func `a key that cannot be sent is refused`(key: String) {
        #expect(throws: ModelEndpointError.self) { try upstream("http://127.0.0.1:1", key: key) }
        #expect(throws: Never.self) { try upstream("http://127.0.0.1:1") }
    }

    @Test func `plain http is for hosts that the administrator has named`() throws {
        let trust = try TLSClientContext(caFile: nil)
        #expect(throws: ModelEndpointError.self) { try upstream("http://gateway", reach: .publicOnly, tls: trust) }
        #expect(throws: Never.self) { try upstream("http://gateway", reach: .anywhere, tls: trust) }
        #expect(throws: Never.self) { try upstream("https://gateway", reach: .publicOnly, tls: trust) }
    }

    @Test func `a gateway gets the key in both fields, the provider in its own`() {
        let both = ModelUpstream.credentials("key", for: .compatible)
        #expect(both["x-api-key"] == "key" && both["authorization"] == "Bearer key")
        let one = ModelUpstream.credentials("key", for: .anthropic)
        #expect(one["x-api-key"] == "key" && one["authorization"] == nil)
    }
}

@Suite struct ModelHostsTests {
    private let hosts = ModelHosts(["gateway.lan", "10.1.2.3:8080", "[fd00::1]:9", "UPPER.example"])

    @Test(arguments: [
        "https://api.example", "https://api.example:8443/prefix", "https://1.2.3.4", "https://[2600::1]/",
    ])
    func `a public https address is taken as public`(url: String) throws {
        let endpoint = try hosts.endpoint(.compatible, baseURL: url)
        #expect(endpoint == ModelEndpoint(provider: .compatible, baseURL: url, reach: .publicOnly))
    }

    @Test(arguments: [
        "http://gateway.lan", "https://gateway.lan:1", "http://GATEWAY.lan./x", "http://10.1.2.3:8080",
        "http://[fd00::1]:9/v", "http://upper.example",
    ])
    func `a named host may be anywhere and plain`(url: String) throws {
        #expect(try hosts.endpoint(.compatible, baseURL: url).reach == .anywhere)
    }

    @Test(arguments: [
        "http://api.example", "http://10.1.2.3", "http://10.1.2.3:8081", "https://10.1.2.3", "https://127.0.0.1",
        "https://[::1]", "https://[fd00::1]:10", "https://[::ffff:10.0.0.1]", "https://169.254.169.254",
        "http://gateway.lan.evil.example", "https://[64:ff9b::a00:1]", "ws://gateway.lan", "https://u:p@api.example",
        "https://api.example?x", "https://api.example/#f", "https:///x", "", "gateway.lan",
    ])
    func `everything else is refused with a way out`(url: String) {
        let error = #expect(throws: ModelEndpointError.self) { try hosts.endpoint(.compatible, baseURL: url) }
        #expect(
            error?.description.hasPrefix("must be") == true || error?.description.contains("ERRAND_MODEL_HOSTS") == true
        )
    }

    @Test func `without a URL it is the provider's own`() throws {
        let endpoint = try hosts.endpoint(.anthropic, baseURL: nil)
        #expect(endpoint.baseURL == "https://api.anthropic.com" && endpoint.reach == .publicOnly)
    }

    @Test(arguments: [
        ("https://gateway.internal", true), ("http://127.0.0.1:9", true), ("http://localhost:9", true),
        ("http://[::1]:9", true), ("http://gateway.lan", true), ("http://gateway.internal", false),
        ("http://10.0.0.1", false), ("nonsense", false),
    ])
    func `the installation's own address is https, on this machine, or named`(url: String, isTaken: Bool) {
        let endpoint = try? hosts.installation(url)
        #expect((endpoint != nil) == isTaken)
        #expect(endpoint.map { $0.reach == .anywhere } ?? true)
    }
}
