import Testing

@testable import Auth

struct RedirectURITests {
    @Test(arguments: [
        "https://app.test/back", "https://app.test:8443/back?x=1", "https://xn--bcher-kva.test/",
        "http://127.0.0.1/back",
        "http://127.0.0.1:8080/back", "http://[::1]/back", "com.example.app:/back", "com.example.app://back",
    ])
    func `addresses of programs can be registered, and are themselves`(text: String) throws {
        let uri = try #require(RedirectURI(text))
        #expect(uri.admits(uri) && uri.text == text)
    }

    @Test(arguments: [
        "", "https://", "https:///back", "http://app.test/back", "http://localhost/back", "https://app.test/#x",
        "https://*.app.test/", "https://user@app.test/", "https://app.test\\@evil.test/", "https://App.test/",
        "//app.test/",
        "https://app.test:0/", "https://app.test:99999/", "https://app.test:/", "app:/back", "javascript:alert(1)",
        "data:text/html,x", "com.example.app:", "https://app.test/\u{e9}", "https://app.test/a b",
        "https://app.test/\r\nx: y",
        "http://127.0.0.1.evil.test/", "http://[::1/back", "https://-app.test/", "https://app.test./",
    ])
    func `what is no whole address of a program, or could be read as another, is refused`(text: String) {
        #expect(RedirectURI(text) == nil)
    }

    @Test func `item 40: an address is admitted byte by byte, but for the port of a loopback one`() throws {
        func admits(_ own: String, _ asked: String) throws -> Bool {
            try #require(RedirectURI(own)).admits(try #require(RedirectURI(asked)))
        }
        #expect(try admits("http://127.0.0.1/back", "http://127.0.0.1:49152/back"))
        #expect(try admits("http://[::1]:1/back", "http://[::1]:49152/back"))
        for (own, asked) in [
            ("http://127.0.0.1/back", "http://127.0.0.1:49152/other"), ("http://127.0.0.1/back", "http://[::1]/back"),
            ("http://127.0.0.1/back", "http://127.0.0.1/back?x"),
            ("https://app.test/back", "https://app.test:444/back"),
            ("https://app.test/back", "https://app.test/back/"),
            ("https://app.test/back", "https://app.test/back/../x"),
            ("https://app.test/back", "https://app.test/back?x=1"), ("https://app.test/back", "https://app.test/Back"),
            ("com.example.app:/back", "com.example.app:/other"), ("com.example.app:/back", "com.example.apps:/back"),
        ] { #expect(try !admits(own, asked), "\(asked)") }
    }

    @Test func `a page's policy lets a form lead to exactly there, as far as it has words for it`() {
        #expect(RedirectURI("https://app.test:8443/back")?.formTarget == "https://app.test:8443")
        #expect(RedirectURI("http://127.0.0.1:8080/back")?.formTarget == "http://127.0.0.1:*")
        #expect(RedirectURI("com.example.app:/back")?.formTarget == "com.example.app:")
        #expect(RedirectURI("https://app.test/back?x=1")?.adding("code=2") == "https://app.test/back?x=1&code=2")
        #expect(RedirectURI("https://app.test/back")?.adding("code=2") == "https://app.test/back?code=2")
    }

    @Test func `item 39: PKCE by S256 alone, with verifiers of 43 to 128 characters, as RFC 7636 has it`() throws {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let challenge = try #require(CodeChallenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"))
        #expect(challenge.admits(verifier))
        for other in [
            "", String(verifier.dropLast()), verifier + "a", challenge.text,
            "dBjftJeZ4CVP+mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ] { #expect(!challenge.admits(other), "\(other)") }
        for text in ["", verifier + "=", "plain", String(repeating: "a", count: 42), String(repeating: "!", count: 43)]
        {
            #expect(CodeChallenge(text) == nil, "\(text)")
        }
    }
}
