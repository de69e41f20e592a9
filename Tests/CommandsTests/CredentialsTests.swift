import Bytes
import Platform
import Testing

@testable import Commands

struct CredentialsTests {
    static func tokens(_ name: String, seconds: Int = 600) -> TokenPair? {
        let json =
            #"{"access_token":"\#(name)","refresh_token":"r-\#(name)","expires_in":\#(seconds),"token_type":"Bearer"}"#
        return (try? JSONReader.parse(Array(json.utf8))).flatMap { TokenPair($0, at: JobEventTests.time) }
    }

    private static func sample() throws -> Credentials {
        let pair = try #require(Self.tokens("a"))
        return Credentials(url: "https://h:1", caFile: "/ca.pem", email: "a@b", tokens: pair)
    }

    @Test func `credentials survive the file`() throws {
        var credentials = try Self.sample()
        #expect(try Credentials(decoding: credentials.encoded()) == credentials)
        credentials.project = RememberedProject(id: "prj_1", name: "näme\n")
        credentials.caFile = nil
        #expect(try Credentials(decoding: credentials.encoded()) == credentials)
        #expect(credentials.expiresAt == JobEventTests.time.adding(seconds: 600))
    }

    @Test(arguments: [
        ("", CredentialsError.damaged), ("{}", .otherVersion), (#"{"version":2}"#, .otherVersion),
        (#"{"version":1}"#, .damaged),
    ])
    func `what is no credentials is refused`(text: String, error: CredentialsError) {
        #expect(throws: error) { try Credentials(decoding: Array(text.utf8)) }
    }

    @Test(arguments: [
        (["ERRAND_CONFIG_HOME": "/a", "XDG_CONFIG_HOME": "/b", "HOME": "/c"], "/a"),
        (["XDG_CONFIG_HOME": "/b", "HOME": "/c"], "/b/errand"),
        (["XDG_CONFIG_HOME": "rel", "HOME": "/c"], "/c/.config/errand"),
        (["ERRAND_CONFIG_HOME": "", "HOME": "/c"], "/c/.config/errand"),
    ])
    func `the file has its place`(values: [String: String], directory: String) throws {
        #expect(try ClientEnvironment(values).configurationDirectory() == directory)
    }

    @Test func `without a home there is no place`() {
        #expect(throws: CommandFailure.self) { try ClientEnvironment([:]).configurationDirectory() }
    }

    @Test func `a device stays known when its sign-in is forgotten`() throws {
        let home = "/tmp/errand-device-\(UInt32.random(in: 0 ... .max))"
        defer { try? Files.removeTree(home) }
        var credentials = try Self.sample()
        try EventLoop.runMain { [credentials] loop in
            let file = try CredentialFile(ClientEnvironment(["ERRAND_CONFIG_HOME": home]))
            // One that never had a token leaves none.
            try await file.locked(on: loop) { try await file.save(credentials) }
            try await file.remove(credentials)
            #expect(await file.deviceToken(for: "a@b", at: "https://h:1") == nil)
        }
        credentials.deviceToken = "known"
        try EventLoop.runMain { [credentials] loop in
            let file = try CredentialFile(ClientEnvironment(["ERRAND_CONFIG_HOME": home]))
            try await file.locked(on: loop) { try await file.save(credentials) }
            try await file.remove(credentials)
            #expect(try await file.load() == nil)
            #expect(await file.deviceToken(for: "a@b", at: "https://h:1") == "known")
            // It is shown to no other server and for no other account.
            #expect(await file.deviceToken(for: "a@b", at: "https://other:1") == nil)
            #expect(await file.deviceToken(for: "c@d", at: "https://h:1") == nil)
            #expect(try Files.status(file.devicePath)?.mode == 0o600)
        }
    }

    @Test func `the file is for its owner only`() throws {
        let home = "/tmp/errand-credentials-\(UInt32.random(in: 0 ... .max))/inner"
        defer { try? Files.removeTree(String(home.dropLast(6))) }
        let credentials = try Self.sample()
        try EventLoop.runMain { loop in
            let file = try CredentialFile(ClientEnvironment(["ERRAND_CONFIG_HOME": home]))
            #expect(try await file.load() == nil)
            try await file.locked(on: loop) { try await file.save(credentials) }
            #expect(try await file.load() == credentials)
            #expect(try Files.status(file.path)?.mode == 0o600)
            #expect(try Files.status(home)?.mode == 0o700)
            try await file.remove(credentials)
            #expect(try await file.load() == nil)
        }
    }
}

struct ServerTests {
    @Test(arguments: [
        ("https://host:8443", "https://host:8443"), ("HOST", "https://host"), ("https://host:443/", "https://host"),
        ("http://127.0.0.1:80", "http://127.0.0.1"), ("https://[::1]:8443", "https://[::1]:8443"),
    ])
    func `a server has one text`(text: String, normal: String) throws {
        #expect(try ServerAddress(text).text == normal)
    }

    @Test(arguments: [
        "http://example.org", "ftp://h", "https://", "https://h/path", "https://u@h", "https://h:0", "wss://h", "a b",
    ])
    func `what is no server, or would send tokens in the clear, is refused`(text: String) {
        #expect(throws: CommandFailure.self) { try ServerAddress(text) }
    }

    @Test func `a problem is one line with everything in it`() {
        let body =
            #"{"type":"about:blank","title":"Some fields are not valid","status":422,"detail":"See\nthere.","#
            + #""code":"invalid_fields","request_id":"req_1","errors":[{"pointer":"/name","detail":"is too long"}]}"#
        let problem = ServerProblem(status: 422, body: Array(body.utf8))
        #expect(
            problem.description
                == "Some fields are not valid: /name is too long. See there. (invalid_fields, req_1)"
        )
        #expect(problem.exitCode == ExitCode.usage)
    }

    @Test(arguments: [
        (400, ExitCode.usage), (401, ExitCode.refused), (403, ExitCode.refused), (404, ExitCode.notFound),
        (409, ExitCode.failed),
        (422, ExitCode.usage), (429, ExitCode.unavailable), (500, ExitCode.unavailable), (503, ExitCode.unavailable),
    ])
    func `an answer without a document is told by its status`(status: Int, code: Int32) {
        let problem = ServerProblem(status: status, body: Array("<html>".utf8))
        #expect(problem.description == "the server answered with status \(status) (http_\(status))")
        #expect(problem.exitCode == code)
    }

    @Test func `the data directory of this machine's server names it`() throws {
        let text =
            #"{"url":"https://127.0.0.1:1","ca_file":"/d/ca","admin_email":"a@b","admin_password_file":"/d/p","pid":1}"#
        let ready = try #require(ReadyFile(Array(text.utf8)))
        #expect(ready.url == "https://127.0.0.1:1")
        #expect(ready.passwordFile == "/d/p")
        #expect(ReadyFile(Array("{}".utf8)) == nil)
    }
}
