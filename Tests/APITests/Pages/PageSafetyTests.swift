import Auth
import Bytes
import Core
import Crypto
import HTTP
import Testing

@testable import API

@Suite struct PageSafetyTests {
    @Test func `every page, its refusals too, lets nothing run, be framed, cached or told to others`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let browser = PageBrowser(world)
            var answers = [try await browser.get("/signin"), try await browser.get("/signin?again=perhaps")]
            answers.append(try await browser.post("/signin", ["email": "a"], headers: []))
            let json = [("content-type", "application/json"), ("origin", APIWorld.publicURL)]
            answers.append(try await browser.send(.post, "/device", "{}", json))
            try await browser.signIn(person)
            answers += [try await browser.get("/signin"), try await browser.get("/device")]
            answers.append(try await browser.post("/device", ["user_code": "BCDF-GHJK"]))
            for answer in answers {
                let policy = answer.headers["content-security-policy"] ?? ""
                #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-"), "\(answer.status)")
                for part in ["form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
                    #expect(policy.contains(part))
                }
                #expect(!policy.contains("unsafe") && !policy.contains("script"))
                #expect(answer.headers["cache-control"] == "no-store")
                #expect(answer.headers["referrer-policy"] == "no-referrer")
                #expect(answer.headers["x-frame-options"] == "DENY")
                #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
                #expect(!answer.text.lowercased().contains("<script"))
            }
            #expect(answers.map(\.status) == [200, 400, 403, 415, 200, 200, 404])
        }
    }

    @Test func `the style sheet is the one that the policy names`() throws {
        let text = String(decoding: PageStyle.sheet, as: UTF8.self)
        #expect(!text.contains("<") && !text.contains("url(") && !text.contains("@import"))
        #expect(PageStyle.source == "'sha256-\(Base64.encode(Digest.sha256(PageStyle.sheet)))'")
        let page = String(decoding: HTML.style.bytes, as: UTF8.self)
        #expect(page == "<style>\(text)</style>")
    }

    @Test func `the page that asks for a passkey runs its one script, by hash, and signs nobody in by less than one`()
        async throws
    {
        try await withAPI { world in
            let browser = PageBrowser(world)
            let page = try await browser.get("/signin/passkey?return_to=/device")
            let policy = page.headers["content-security-policy"] ?? ""
            #expect(policy.contains("; script-src \(PasskeyScript.source); ") && !policy.contains("unsafe"))
            #expect(PasskeyScript.source == "'sha256-\(Base64.encode(Digest.sha256(PasskeyScript.text)))'")
            let scripts = page.text.split(separator: "<script>", omittingEmptySubsequences: false)
            #expect(scripts.count == 2)
            #expect(scripts.last?.hasPrefix(String(decoding: PasskeyScript.text, as: UTF8.self) + "</script>") == true)
            for credential in ["", "{}", "[", "{\"type\":\"public-key\",\"rawId\":\"AAAA\",\"response\":{}}"] {
                try await browser.get("/signin/passkey")
                let answer = try await browser.post("/signin/passkey", ["credential": credential])
                #expect([400, 422].contains(answer.status), "\(credential): \(answer.status)")
                #expect(browser.cookies[BrowserCookie.session.rawValue] == nil)
            }
        }
    }

    @Test(arguments: [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' autofocus onfocus='alert(1)", "</title><h1>",
        "&lt;script&gt;", "\u{0}\u{1b}[31m", "\u{202e}evil",
    ])
    func `whatever a text is, it stays a text`(text: String) {
        let piece = HTML.element(
            .p,
            [.value(text), .content(text)],
            [.text(text), .foreign(text)]
        )
        let page = String(decoding: piece.bytes, as: UTF8.self)
        let markup = page.split(separator: "<").map { $0.prefix { $0 != ">" && $0 != " " } }
        #expect(markup == ["p", "bdi", "/bdi", "/p"])
        #expect(page.utf8.allSatisfy { $0 >= 0x20 })
        #expect(page.filter { $0 == "\"" }.count == 4 && !page.contains("'"))
    }

    @Test func `what somebody calls a device stays a text on the page that asks about it`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let name = "<script>alert(1)</script>\" onx='"
            let fields: KeyValuePairs = ["client_id": "errand", "device_name": name]
            let agent = [("user-agent", "<img src=x>")]
            let begun = try await world.form("/oauth/device_authorization", fields, headers: agent)
            let code = try #require(begun.json["user_code"]?.string)
            let browser = PageBrowser(world)
            try await browser.signIn(person)
            try await browser.get("/device")
            try await browser.post("/device", ["user_code": code])
            #expect(browser.page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
            #expect(!browser.page.contains("<script") && !browser.page.contains("<img"))
        }
    }

    @Test func `forms are small, plain and without a field twice or one too many`() async throws {
        try await withAPI { world in
            let browser = PageBrowser(world)
            try await browser.get("/signin")
            let token = try #require(browser.formToken)
            let own = [("origin", APIWorld.publicURL)]
            let many = (0..<40).map { "f\($0)=1" }.joined(separator: "&")
            let cases: [(body: String, status: Int)] = [
                ("form=\(token)&email=a&password=b", 401), ("form=\(token)&email=a&email=b&password=c", 400),
                ("form=\(token)&email=a&password=b&role=owner", 400), ("form=\(token)&email=%ff&password=b", 400),
                ("form=\(token)&email=%zz&password=b", 400), ("form=\(token)&email=a%00&password=b", 400), (many, 400),
                ("form=\(token)&password=" + String(repeating: "x", count: 17_000), 413),
            ]
            for (body, status) in cases {
                #expect(try await browser.send(.post, "/signin", body, own).status == status, "\(body.prefix(60))")
            }
            let multipart = own + [("content-type", "multipart/form-data; boundary=x")]
            #expect(try await browser.send(.post, "/signin", "x", multipart).status == 415)
        }
    }

    @Test func `cookies are held to this host, to TLS and to requests of our own pages`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let browser = PageBrowser(world)
            let before = try await browser.get("/signin").headers.values(of: "set-cookie")
            let after = try await browser.signIn(person).headers.values(of: "set-cookie")
            #expect(before.count == 1 && after.count == 3)
            for cookie in before + after {
                #expect(cookie.hasPrefix("__Host-errand") && !cookie.contains("Domain"))
                for mark in ["; Path=/;", "; Secure;", "; HttpOnly;", "; SameSite=Lax"] {
                    #expect(cookie.contains(mark), "\(cookie)")
                }
            }
            // Two of a name are none: nobody can say which one is ours.
            let session = try #require(browser.cookies[BrowserCookie.session.rawValue])
            let line = "\(BrowserCookie.session.rawValue)=\(session)"
            let fresh = PageBrowser(world)
            let one = try await fresh.send(.get, "/signin", nil, [("cookie", line)])
            let two = try await fresh.send(.get, "/signin", nil, [("cookie", "\(line); \(line)")])
            #expect(one.text.contains("You are signed in") && !two.text.contains("You are signed in"))
        }
    }
}
