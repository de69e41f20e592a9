import Auth
import Bytes
import Core
import HTTP
import Testing

@testable import API

@Suite struct SignInPageTests {
    private static let session = BrowserCookie.session.rawValue

    @Test func `the page signs in by the same gate as the API, and the browser is a device that can be ended`()
        async throws
    {
        try await withAPI(replicas: 2) { world in
            let person = try await world.person()
            let browser = PageBrowser(world)
            #expect(try await browser.signIn(person, password: "wrong").status == 401)
            #expect(browser.page.contains("The address or the password is wrong"))
            #expect(browser.cookies[Self.session] == nil)
            let answer = try await browser.signIn(person)
            #expect(answer.status == 303 && browser.location == "/signin")
            try await browser.get("/signin")
            #expect(browser.page.contains("You are signed in") && browser.page.contains(person.user.email))
            let here = try await world.device(of: person).token
            let devices = try await world.send(.get, "/v1/me/devices", token: here).json["items"]?.array ?? []
            let own = try #require(devices.first { $0["client_id"]?.string == "browser" })
            #expect(own["name"]?.string == "browser (chrome)")
            // Ended elsewhere, the cookie opens nothing any more.
            let id = try #require(own["id"]?.string)
            #expect(try await world.send(.delete, "/v1/me/devices/\(id)", token: here, replica: 1).status == 204)
            try await browser.get("/signin")
            #expect(!browser.page.contains("You are signed in"))
            let actions = try await world.acts().map(\.action)
            #expect(actions.contains("sign_in.opened") && actions.contains("sign_in.refused"))
        }
    }

    @Test func `item 45: a new session at every sign-in, and the one before ends`() async throws {
        try await withAPI { world in
            let (person, other) = (try await world.person(), try await world.person())
            let browser = PageBrowser(world)
            // What somebody else has put there beforehand is never taken over.
            let planted = OpaqueToken.make(.browserSession).token
            browser.take(Self.session, planted)
            try await browser.signIn(person)
            let first = try #require(browser.cookies[Self.session])
            #expect(first != planted)
            try await browser.get("/signin?again=true")
            try await browser.post("/signin", ["email": other.user.email, "password": APIWorld.password])
            let second = try #require(browser.cookies[Self.session])
            #expect(second != first)
            let old = PageBrowser(world)
            old.take(Self.session, first)
            try await old.get("/signin")
            #expect(!old.page.contains("You are signed in"))
            try await browser.get("/signin")
            #expect(browser.page.contains(other.user.email))
        }
    }

    @Test func `a session ends after twelve hours, by signing out, and with the password`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            func isSignedIn(_ browser: PageBrowser) async throws -> Bool {
                try await browser.get("/signin")
                return browser.page.contains("You are signed in")
            }
            let late = PageBrowser(world)
            try await late.signIn(person)
            world.time.advance(by: .seconds(12 * 3_600 - 1))
            #expect(try await isSignedIn(late))
            world.time.advance(by: .seconds(1))
            #expect(try await !isSignedIn(late))

            let leaving = PageBrowser(world)
            try await leaving.signIn(person)
            let copy = PageBrowser(world)
            copy.take(Self.session, leaving.cookies[Self.session])
            #expect(try await isSignedIn(leaving))
            #expect(try await leaving.post("/signout").status == 303)
            #expect(leaving.cookies[Self.session] == nil)
            #expect(try await !isSignedIn(copy))

            let changed = PageBrowser(world)
            try await changed.signIn(person)
            let form = JSONValue.form(["current_password": APIWorld.password, "new_password": "tall ships at anchor"])
            let token = try await world.device(of: person).token
            #expect(try await world.send(.post, "/v1/me/password", form, token: token).status == 204)
            #expect(try await !isSignedIn(changed))
        }
    }

    @Test func `item 45: a form counts only from a page of ours that was shown to this browser`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let own = ("origin", APIWorld.publicURL)
            let fields: KeyValuePairs = ["email": person.user.email, "password": APIWorld.password]
            let cases: [(headers: [(String, String)], isTaken: Bool)] = [
                ([own], true), ([("origin", "null"), ("sec-fetch-site", "same-origin")], true), ([], false),
                ([("origin", "null")], false), ([("origin", "null"), ("sec-fetch-site", "cross-site")], false),
                ([("origin", "https://evil.test")], false), ([("origin", "http://errand.test")], false),
                ([("origin", "https://errand.test.evil.test")], false),
            ]
            for (headers, isTaken) in cases {
                let browser = PageBrowser(world)
                try await browser.get("/signin")
                let answer = try await browser.post("/signin", fields, headers: headers)
                #expect(answer.status == (isTaken ? 303 : 403), "\(headers)")
            }
            let (browser, stranger) = (PageBrowser(world), PageBrowser(world))
            try await browser.get("/signin")
            try await stranger.get("/signin")
            for token in ["", "x", try #require(stranger.formToken)] {
                #expect(try await browser.post("/signin", fields, token: token).status == 403)
            }
            // The control: the browser's own.
            try await browser.get("/signin")
            #expect(try await browser.post("/signin", fields).status == 303)
        }
    }

    @Test func `after the sign-in a browser is led to a page of ours and nowhere else`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let cases = [
                ("/device", "/device"), ("/device?user_code=BCDF-GHJK", "/device?user_code=BCDF-GHJK"),
                ("https://evil.test/", nil), ("//evil.test/device", nil), ("/\\evil.test", nil), ("/v1/me", nil),
                ("/device/../v1/me", nil), ("/device#x", nil), ("/device\r\nset-cookie: a=b", nil),
                ("javascript:1", nil),
                ("/device?" + String(repeating: "a", count: 5_000), nil),
            ]
            for (place, expected) in cases {
                let browser = PageBrowser(world)
                try await browser.signIn(person, returnTo: place)
                #expect(browser.location == expected ?? "/signin", "\(place)")
            }
        }
    }

    @Test func `nobody with a second factor gets a session without it`() async throws {
        try await withAPI { world in
            let factor = try await FactorPerson(in: world)
            world.time.advance(by: .seconds(60))
            let browser = PageBrowser(world)
            #expect(try await browser.signIn(factor.person, returnTo: "/device").status == 200)
            #expect(browser.page.contains("Second step") && browser.cookies[Self.session] == nil)
            let step = try #require(browser.value(of: "step"))
            func send(_ field: String, _ typed: String) async throws -> Int {
                let fields: KeyValuePairs = ["step": step, field: typed, "return_to": "/device"]
                return try await browser.post("/signin/code", fields).status
            }
            #expect(try await send("code", factor.wrongCode()) == 401)
            #expect(browser.page.contains("The code is wrong"))
            #expect(try await send("recovery_code", "AAAA-AAAA") == 401)
            #expect(browser.cookies[Self.session] == nil)
            #expect(try await send("code", factor.code()) == 303)
            #expect(browser.location == "/device" && browser.cookies[Self.session] != nil)

            let second = PageBrowser(world)
            try await second.signIn(factor.person)
            let code = try #require(factor.recoveryCodes.first)
            let fields: KeyValuePairs = ["step": try #require(second.value(of: "step")), "recovery_code": code]
            #expect(try await second.post("/signin/code", fields).status == 303)
            let factors = try await world.facts(of: "sign_in.opened").filter { $0.name == "factor" }.map(\.value)
            #expect(factors.contains("password+totp") && factors.contains("password+recovery_code"))
        }
    }

    @Test func `item 31: the page answers alike for accounts that are, are not, and are disabled`() async throws {
        try await withAPI { world in
            let (person, gone) = (try await world.person(), try await world.person())
            #expect(try await world.disable(gone))
            var shapes: Set<String> = []
            for email in [person.user.email, gone.user.email, "nobody@example.org"] {
                let browser = PageBrowser(world)
                try await browser.get("/signin")
                let answer = try await browser.post("/signin", ["email": email, "password": "wrong"])
                let token = browser.formToken ?? ""
                let page = answer.text.replacing(email, with: "EMAIL").replacing(token, with: "TOKEN")
                shapes.insert("\(answer.status) \(page)")
            }
            #expect(shapes.count == 1)
        }
    }

    @Test func `a browser that signed in before does not wait for the failures of others`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let known = PageBrowser(world)
            try await known.signIn(person)
            known.take(Self.session, nil)
            for _ in 0..<6 { try await PageBrowser(world).signIn(person, password: "wrong") }
            #expect(try await PageBrowser(world).signIn(person).status == 429)
            #expect(try await known.signIn(person).status == 303)
        }
    }
}
