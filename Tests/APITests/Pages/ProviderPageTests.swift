import Auth
import Bytes
import Core
import HTTP
import Store
import TestSupport
import Testing

@testable import API

/// Signing in by a provider on the pages, without a script.
@Suite struct ProviderPageTests {
    /// Goes from the sign-in page to the provider; gives the query that it is asked with.
    private func leave(_ browser: PageBrowser, _ more: String = "") async throws -> [String: String] {
        try await browser.get("/signin" + more)
        #expect(browser.page.contains("Sign in with <bdi>Acme</bdi>"))
        let place = more.isEmpty ? "" : "&return_to=%2Fdevice"
        let answer = try await browser.get("/signin/provider?name=acme" + place)
        try #require(answer.status == 303, "\(answer.text)")
        let location = try #require(browser.location)
        #expect(location.hasPrefix("\(browser.world.provider.issuer)/authorize?"))
        let pairs = try #require(PercentEncoding.decodeQuery(location.drop { $0 != "?" }.dropFirst()))
        let asked = Dictionary(pairs, uniquingKeysWith: { $1 })
        browser.world.provider.nonce = asked["nonce"] ?? ""
        return asked
    }

    /// Comes back from the provider, as far as our own page.
    private func comeBack(
        _ browser: PageBrowser,
        _ asked: [String: String],
        _ query: String = "code=x"
    ) async throws -> String {
        let state = asked["state"] ?? ""
        let answer = try await browser.get("/v1/auth/oidc/acme/callback?\(query)&state=\(state)")
        try #require(answer.status == 303, "\(answer.text)")
        let location = try #require(browser.location)
        #expect(location.hasPrefix("\(APIWorld.publicURL)/signin/provider/done"))
        return String(location.dropFirst(APIWorld.publicURL.count))
    }

    @Test func `a person chooses a provider, comes back signed in, and goes where they wanted`() async throws {
        try await withAPI { world in
            try await world.addProvider()
            let browser = PageBrowser(world)
            let asked = try await leave(browser, "?return_to=%2Fdevice")
            let done = try await comeBack(browser, asked)
            #expect(try await browser.get(done).status == 303)
            #expect(browser.location == "/device" && browser.cookies[BrowserCookie.session.rawValue] != nil)
            #expect(browser.cookies[BrowserCookie.provider.rawValue] == nil)
            try await browser.get("/signin")
            #expect(browser.page.contains("jane@example.org"))
        }
    }

    @Test func `item 45: an answer that another browser began signs nobody in here`() async throws {
        try await withAPI { world in
            try await world.addProvider()
            let (attacker, victim) = (PageBrowser(world), PageBrowser(world, address: "192.0.2.8"))
            let done = try await comeBack(attacker, try await leave(attacker))
            for _ in 0..<2 {
                #expect(try await victim.get(done).status == 400)
                #expect(victim.cookies[BrowserCookie.session.rawValue] == nil)
                // Also when the victim is under way with a sign-in of their own.
                _ = try await leave(victim)
            }
            #expect(try await attacker.get(done).status == 303)
            #expect(attacker.cookies[BrowserCookie.session.rawValue] != nil)
            #expect(try await attacker.get(done).status == 400)
        }
    }

    @Test func `what a link says is not shown, and a refusal leads back to the page`() async throws {
        try await withAPI { world in
            try await world.addProvider(makesAccounts: false)
            let browser = PageBrowser(world)
            let done = try await comeBack(browser, try await leave(browser))
            #expect(try await browser.get(done).status == 401)
            #expect(browser.page.contains("There is no account for you here") && browser.page.contains("Password"))
            try await browser.get("/signin/provider/done?error=x&error_description=Call+this+number")
            #expect(!browser.page.contains("number") && browser.page.contains("You are not signed in"))
            #expect(try await browser.get("/signin/provider?name=other").status == 404)
            #expect(try await browser.get("/signin/provider").status == 400)
        }
    }

    @Test func `item 36: who has a second factor is asked for it on the page too`() async throws {
        try await withAPI { world in
            let provider = try await world.addProvider()
            let person = try await FactorPerson(in: world)
            _ = try await world.link(person.person, issuer: provider.issuer, subject: "7")
            let browser = PageBrowser(world)
            let done = try await comeBack(browser, try await leave(browser))
            #expect(try await browser.get(done).status == 200)
            #expect(browser.page.contains("Second step") && browser.cookies[BrowserCookie.session.rawValue] == nil)
            world.time.advance(by: .seconds(30))
            let step = try #require(browser.value(of: "step"))
            #expect(try await browser.post("/signin/code", ["step": step, "code": person.code()]).status == 303)
            #expect(browser.cookies[BrowserCookie.session.rawValue] != nil)
        }
    }
}
