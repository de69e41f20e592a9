import Auth
import Bytes
import Core
import HTTP
import TestSupport
import Testing

@testable import API

/// Linking identities to accounts, and taking them away.
@Suite struct IdentityTests {
    private func link(_ browser: ProviderBrowser, _ code: String, token: String) async throws -> APIAnswer {
        try await browser.world.send(.post, "/v1/me/identities", browser.redeemForm(code), token: token)
    }

    @Test func `a signed-in person links an identity, comes in by it, and takes it away`() async throws {
        try await withAPI { world in
            try await world.addProvider(makesAccounts: false)
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let browser = ProviderBrowser(world)
            let code = try await browser.code(token: token)
            let linked = try await link(browser, code, token: token)
            #expect(linked.status == 201 && linked.json["provider"]?.string == "acme", "\(linked.text)")
            #expect(linked.json["email"]?.string == "jane@example.org" && linked.json["subject"] == nil)
            let tokens = try await browser.signIn()
            let me = try await world.send(.get, "/v1/me", token: tokens.access)
            #expect(me.json["id"]?.string == person.user.id.description)
            let listed = try await world.send(.get, "/v1/me/identities", token: token).json["identities"]?.array
            let id = try #require(listed?.first?["id"]?.string)
            #expect(listed?.count == 1)
            let other = try await world.device(of: world.person()).token
            #expect(try await world.send(.delete, "/v1/me/identities/\(id)", token: other).status == 404)
            #expect(try await world.send(.delete, "/v1/me/identities/\(id)", token: token).status == 204)
            #expect(try await browser.denial() == "no_account")
            let acts = try await world.acts().map(\.action)
            #expect(acts.contains("identity.linked") && acts.contains("identity.unlinked"))
        }
    }

    @Test func `item 45: a code that one person was talked into bringing links nothing to another's account`()
        async throws
    {
        try await withAPI { world in
            try await world.addProvider()
            let (attacker, victim) = (try await world.person(), try await world.person())
            let (theirs, own) = (try await world.device(of: attacker), try await world.device(of: victim))
            let browser = ProviderBrowser(world)
            let code = try await browser.code(token: theirs.token)
            // Neither the victim, nor another device of the one who began, nor a sign-in gets anything for it.
            #expect(try await link(browser, code, token: own.token).code == "invalid_grant")
            let second = try await world.device(of: attacker)
            #expect(try await link(browser, code, token: second.token).code == "invalid_grant")
            #expect(try await browser.redeem(code).code == "invalid_grant")
            #expect(try await link(browser, code, token: theirs.token).status == 201)
            // And a code for a sign-in links nothing.
            let signIn = try await browser.code()
            #expect(try await link(browser, signIn, token: own.token).code == "invalid_grant")
        }
    }

    @Test func `an identity opens one account, and an account has one identity of a provider`() async throws {
        try await withAPI { world in
            try await world.addProvider()
            let (first, second) = (try await world.person(), try await world.person())
            let (one, two) = (try await world.device(of: first).token, try await world.device(of: second).token)
            let browser = ProviderBrowser(world)
            #expect(try await link(browser, try await browser.code(token: one), token: one).status == 201)
            #expect(try await link(browser, try await browser.code(token: two), token: two).code == "identity_taken")
            world.provider.claims = ["sub": .string("8")]
            #expect(try await link(browser, try await browser.code(token: one), token: one).code == "identity_exists")
            #expect(try await link(browser, try await browser.code(token: two), token: two).status == 201)
        }
    }

    @Test func `item 59: linking and unlinking need a proof that is fresh`() async throws {
        try await withAPI { world in
            let provider = try await world.addProvider()
            let person = try await world.person()
            let token = try await world.device(of: person).token
            let id = try await world.link(person, issuer: provider.issuer)
            world.time.advance(by: FreshSignIn.lifetime)
            let browser = ProviderBrowser(world)
            #expect(try await browser.start(token: token).code == "reauthentication_required")
            let removed = try await world.send(.delete, "/v1/me/identities/\(id)", token: token)
            #expect(removed.code == "reauthentication_required")
            let form = JSONValue.form(["password": APIWorld.password])
            #expect(try await world.send(.post, "/v1/auth/reauthenticate", form, token: token).status == 204)
            #expect(try await browser.start(token: token).status == 201)
            #expect(try await world.send(.delete, "/v1/me/identities/\(id)", token: token).status == 204)
        }
    }

    @Test func `the only way into an account without a password is not taken away`() async throws {
        try await withAPI { world in
            try await world.addProvider()
            world.provider.claims = ["auth_time": .integer(world.time.now.milliseconds / 1_000)]
            let tokens = try await ProviderBrowser(world).signIn()
            let listed = try await world.send(.get, "/v1/me/identities", token: tokens.access)
            let id = try #require(listed.json["identities"]?.array?.first?["id"]?.string)
            #expect(
                try await world.send(.delete, "/v1/me/identities/\(id)", token: tokens.access).code == "last_way_in"
            )
        }
    }
}
