import Auth
import Bytes
import Core
import HTTP
import Store
import TestSupport
import Testing

@testable import API

/// Signing in by a provider, from the client's start to its tokens.
@Suite struct ProviderSignInTests {
    @Test func `a person whom the provider brings gets an account, a team and tokens, and comes back to the same`()
        async throws
    {
        try await withAPI { world in
            let host = try await world.person()
            try await world.addProvider(joins: ProviderTeam(team: host.team.id, role: .viewer))
            let browser = ProviderBrowser(world)
            let tokens = try await browser.signIn()
            let me = try await world.send(.get, "/v1/me", token: tokens.access)
            #expect(me.json["email"]?.string == "jane@example.org" && me.json["name"]?.string == "Jane Doe")
            #expect(me.json["is_administrator"]?.bool == false)
            let roles = me.json["teams"]?.array?.map { "\($0["name"]?.string ?? "") \($0["role"]?.string ?? "")" }
            #expect(Set(roles ?? []) == ["Jane Doe owner", "\(host.team.name) viewer"])
            let again = try await ProviderBrowser(world).signIn()
            let same = try await world.send(.get, "/v1/me", token: again.access)
            #expect(same.json["id"] == me.json["id"])
            let opened = try await world.details(of: "sign_in.opened")
            #expect(opened.count == 2 && opened.allSatisfy { $0.contains(AuditDetail("factor", "oidc")) })
            #expect(try await world.acts().contains { $0.action == "user.created" })
        }
    }

    @Test func `item 39: state, nonce and an S256 challenge go out, and the verifier goes to the token endpoint alone`()
        async throws
    {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            _ = try await browser.signIn()
            let asked = browser.asked
            #expect(asked["response_type"] == "code" && asked["client_id"] == "client")
            #expect(asked["redirect_uri"] == "https://errand.test/v1/auth/oidc/acme/callback")
            #expect(asked["scope"] == "openid email profile" && asked["code_challenge_method"] == "S256")
            #expect(asked["state"]?.utf8.count == 43 && asked["nonce"]?.utf8.count == 43)
            let form = Dictionary(
                try #require(PercentEncoding.decodeQuery(world.provider.forms.first ?? "")),
                uniquingKeysWith: { $1 }
            )
            #expect(form["grant_type"] == "authorization_code" && form["code"] == "code-of-the-provider")
            #expect(PKCE.answers(form["code_verifier"] ?? "", asked["code_challenge"] ?? ""))
            #expect(form["client_secret"] == nil && form["client_id"] == nil)
            let basic = Base64.encode([UInt8]("client:s3cret".utf8))
            #expect(world.provider.authorizations == ["Basic \(basic)"])
            // Neither the client's proof nor its state is shown to the provider.
            #expect(!asked.values.contains { $0.contains(browser.verifier) || $0.contains("mine") })
        }
    }

    @Test(arguments: [
        ["code_challenge": JSONValue.null], ["code_challenge": .string("plain")],
        ["code_challenge": .string(String(repeating: "a", count: 44))], ["code_challenge_method": .string("plain")],
        ["redirect_uri": .null], ["redirect_uri": .string("https://evil.example/")],
        ["redirect_uri": .string("https://errand.test/v1/auth/oidc/evil/callback?state=s&iss=i")],
        ["redirect_uri": .string("https://errand.test/signin/provider/done/..")],
        ["redirect_uri": .string("https://errand.test.evil.example/")],
        ["redirect_uri": .string("https://errand.test@evil/")],
        ["redirect_uri": .string("http://localhost:80/")], ["redirect_uri": .string("http://127.0.0.1/")],
        ["redirect_uri": .string("http://127.0.0.1:80@evil.example/")],
        ["redirect_uri": .string("http://127.0.0.1:99999/")],
        ["redirect_uri": .string("http://127.0.0.1:80")], ["redirect_uri": .string("http://127.0.0.1:80/#x")],
        ["redirect_uri": .string("javascript:alert(1)")], ["redirect_uri": .string("http://127.0.0.1:80/\r\nx: y")],
        ["state": .string(String(repeating: "a", count: 513))],
    ])
    func `items 39 and 45: a start without its proof, or that leads elsewhere, is refused`(
        changes: [String: JSONValue]
    ) async throws {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            #expect(try await browser.start(changes).status == 422)
            #expect(try await browser.start().status == 201)
            #expect(
                try await browser.start(["redirect_uri": .string("https://errand.test/signin/provider/done")]).status
                    == 201
            )
            #expect(try await browser.start(["redirect_uri": .string("http://[::1]:8080/")]).status == 201)
        }
    }

    @Test(arguments: [
        ["code_verifier": JSONValue.string(String(repeating: "a", count: 43))],
        ["code_verifier": .string(String(repeating: "a", count: 42))],
        ["code_verifier": .string(String(repeating: "a", count: 129))],
        ["redirect_uri": .string("http://127.0.0.1:4711/")], ["code": .string("eoc_nobody's")],
        ["code": .string("eoc_" + String(repeating: "A", count: 43))],
    ])
    func `items 39 and 40: a code is good for its verifier and its redirection alone`(
        changes: [String: JSONValue]
    ) async throws {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            let code = try await browser.code()
            let refused = try await browser.redeem(code, changes)
            #expect(refused.status == 400 && refused.code == "invalid_grant")
            // Whoever tried has not used it up.
            #expect(try await browser.redeem(code).status == 200)
        }
    }

    @Test func `item 40: a code counts once and for a minute, and its second use ends what the first has opened`()
        async throws
    {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            let code = try await browser.code()
            let tokens = try APITokens(try await browser.redeem(code))
            #expect(try await world.send(.get, "/v1/me", token: tokens.access).status == 200)
            #expect(try await browser.redeem(code, ["code_verifier": .string("x")]).code == "invalid_grant")
            #expect(try await world.send(.get, "/v1/me", token: tokens.access).status == 401)
            #expect(try await world.acts().contains { $0.action == "token.reuse_detected" })
            let late = try await browser.code()
            world.time.advance(by: .seconds(60))
            #expect(try await browser.redeem(late).code == "invalid_grant")
        }
    }

    @Test func `items 39 and 45: a state is taken once, in its time, at its own provider`() async throws {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            try await browser.start()
            for changes in [["state": nil], ["state": ""], ["state": "x"], ["state": PKCE.makeVerifier()]]
                as [[String: String?]]
            {
                let answer = try await browser.comeBack(changes)
                #expect(answer.status == 400 && answer.headers["content-type"] == "text/html; charset=utf-8")
                #expect(answer.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            }
            #expect(world.provider.forms.isEmpty)
            #expect(try await browser.arrival()["code"] != nil)
            #expect(try await browser.comeBack().status == 400)
            try await browser.start()
            #expect(try await browser.comeBack(to: "other").status == 400)
            try await browser.start()
            world.time.advance(by: ProviderState.lifetime)
            #expect(try await browser.comeBack().status == 400)
            #expect(world.provider.forms.count == 1)
        }
    }

    @Test(arguments: [
        ("iss", JSONValue.string("https://evil.example")), ("aud", .string("another")), ("nonce", .string("another")),
        ("nonce", .null), ("at_hash", .string("AAAA")), ("exp", .integer(1)), ("iat", .integer(4_000_000_000)),
        ("azp", .string("another")), ("sub", .null),
    ])
    func `item 41: an ID token that does not fit lets nobody in`(claim: String, value: JSONValue) async throws {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            world.provider.claims = [claim: value]
            #expect(try await browser.denial() == "provider_faulty")
            let refused = try await world.details(of: "sign_in.refused")
            #expect(refused.count == 1 && refused[0].contains(AuditDetail("reason", "provider_faulty")))
            world.provider.claims = [:]
            _ = try await browser.signIn()
        }
    }

    @Test(arguments: ["none", "HS256", "RS256", "ES256"])
    func `items 1 to 3 and 41: an ID token of another algorithm than the key's lets nobody in`(
        algorithm: String
    ) async throws {
        try await withAPI { world in
            try await world.addProvider()
            world.provider.header = ["alg": .string(algorithm)]
            #expect(try await ProviderBrowser(world).denial() == "provider_faulty")
        }
    }

    @Test func `item 41: an answer that names another issuer, or none where the provider always does, is a mix-up`()
        async throws
    {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            #expect(try await browser.denial(["iss": "https://evil.example"]) == "provider_mismatch")
            try await browser.start()
            #expect(
                try await browser.arrival(["iss": world.provider.issuer])["code"] != nil
            )
        }
        try await withAPI { world in
            try await world.addProvider()
            world.provider.description["authorization_response_iss_parameter_supported"] = .bool(true)
            let browser = ProviderBrowser(world)
            #expect(try await browser.denial() == "provider_mismatch")
            #expect(try await browser.denial(["error": "access_denied", "code": nil]) == "provider_mismatch")
            let named = ["iss": world.provider.issuer, "error": "access_denied", "code": nil]
            #expect(try await browser.denial(named) == "access_denied")
            #expect(world.provider.forms.isEmpty)
        }
    }

    @Test(arguments: [
        ("access_denied", "access_denied"), ("login_required", "provider_refused"), ("<script>", "provider_refused"),
        ("", "provider_refused"),
    ])
    func `an error of the provider's is told without its words`(error: String, told: String) async throws {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            let changes = ["error": error, "error_description": "<b>call this number</b>", "code": nil]
            #expect(try await browser.denial(changes) == told)
            #expect(try await browser.denial(["code": nil]) == "provider_refused")
            #expect(world.provider.forms.isEmpty)
        }
    }

    @Test func `item 44: a provider that is away opens nothing, and is told of`() async throws {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            world.provider.failure = .unreachable("it does not answer")
            let refused = try await browser.start()
            #expect(refused.status == 503 && refused.code == "provider_unavailable")
            world.provider.failure = nil
            try await browser.start()
            world.provider.failure = .unreachable("it does not answer")
            #expect(try await browser.arrival()["error"] == "provider_unavailable")
            world.provider.failure = nil
            for (status, told) in [(500, "provider_unavailable"), (400, "provider_faulty"), (302, "provider_faulty")] {
                world.provider.statuses["/token"] = status
                #expect(try await browser.denial() == told)
            }
            world.provider.statuses = [:]
            _ = try await browser.signIn()
        }
    }

    @Test func `only addresses of allowed domains come in, also those who were in before`() async throws {
        try await withAPI { world in
            try await world.addProvider(domains: ["example.org"])
            let browser = ProviderBrowser(world)
            world.provider.claims = ["email": .string("jane@evil.example")]
            #expect(try await browser.denial() == "domain_not_allowed")
            world.provider.claims = [:]
            _ = try await browser.signIn()
            world.provider.claims = ["email": .string("jane@elsewhere.example")]
            #expect(try await browser.denial() == "domain_not_allowed")
        }
    }

    @Test func `item 42: an address links nobody, verified or not`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            for (verified, told) in [
                (JSONValue.bool(true), "account_exists"), (.bool(false), "address_not_verified"),
                (.string("true"), "address_not_verified"), (.null, "address_not_verified"),
            ] {
                world.provider.claims = ["email": .string(person.user.email), "email_verified": verified]
                #expect(try await browser.denial() == told)
            }
            #expect(try await world.store.identities.identities(of: person.user.id).isEmpty)
        }
    }

    @Test func `a provider that makes no accounts lets in whoever is linked, and a disabled account stays out`()
        async throws
    {
        try await withAPI { world in
            let provider = try await world.addProvider(makesAccounts: false)
            let person = try await world.person()
            let browser = ProviderBrowser(world)
            #expect(try await browser.denial() == "no_account")
            _ = try await world.link(person, issuer: provider.issuer, subject: "7")
            let tokens = try await browser.signIn()
            #expect(
                try await world.send(.get, "/v1/me", token: tokens.access).json["email"]?.string == person.user.email
            )
            let code = try await browser.code()
            #expect(try await world.disable(person))
            #expect(try await browser.denial() == "account_disabled")
            // Disabled between the provider's answer and the client's.
            #expect(try await browser.redeem(code).code == "invalid_grant")
        }
    }

    @Test func `item 31: an account without a password answers a password like one that is not there`() async throws {
        try await withAPI { world in
            try await world.addProvider()
            _ = try await ProviderBrowser(world).signIn()
            var shapes: Set<String> = []
            for email in ["jane@example.org", "nobody@example.org"] {
                for password in ["", "unmatchable password", APIWorld.password] where !password.isEmpty {
                    let form = JSONValue.form(["email": email, "password": password])
                    shapes.insert(try await world.send(.post, "/v1/auth/login", form).shape)
                }
            }
            #expect(shapes.count == 1 && shapes.first?.hasPrefix("401") == true)
        }
    }

    @Test func `a fresh proof needs a provider that says so, and counts as one`() async throws {
        try await withAPI { world in
            try await world.addProvider()
            let browser = ProviderBrowser(world)
            let seconds = world.time.now.milliseconds / 1_000
            let stale = try await browser.signIn()
            #expect(browser.asked["prompt"] == nil && browser.asked["max_age"] == nil)
            let change = { (tokens: APITokens) in
                try await world.send(
                    .post,
                    "/v1/me/identities/start",
                    browser.startForm(["provider": .string("acme")]),
                    token: tokens.access
                )
            }
            #expect(try await change(stale).code == "reauthentication_required")
            let wish: [String: JSONValue] = ["fresh": .bool(true)]
            for time in [JSONValue.null, .integer(seconds - 600)] {
                world.provider.claims = ["auth_time": time]
                try await browser.start(wish)
                #expect(try await browser.arrival()["error"] == "not_fresh")
            }
            world.provider.claims = ["auth_time": .integer(seconds)]
            try await browser.start(wish)
            #expect(browser.asked["prompt"] == "login" && browser.asked["max_age"] == "0")
            let code = try #require(try await browser.arrival()["code"])
            #expect(try await change(try APITokens(try await browser.redeem(code))).status == 201)
        }
    }

    @Test func `item 36: who has a second factor is asked for it, whatever the provider has asked`() async throws {
        try await withAPI { world in
            let provider = try await world.addProvider()
            let person = try await FactorPerson(in: world)
            _ = try await world.link(person.person, issuer: provider.issuer, subject: "7")
            let browser = ProviderBrowser(world)
            let code = try await browser.code()
            let wanted = try await browser.redeem(code)
            #expect(wanted.status == 401 && wanted.code == "second_factor_required", "\(wanted.text)")
            let interim = try #require(wanted.json["interim_token"]?.string)
            #expect(try await world.send(.get, "/v1/me", token: interim).status == 401)
            // The code of the enrolment counts once.
            world.time.advance(by: .seconds(30))
            let tokens = try APITokens(try await person.second(interim, ["otp": person.code()]))
            let me = try await world.send(.get, "/v1/me", token: tokens.access)
            #expect(me.json["id"]?.string == person.person.user.id.description)
            let opened = try await world.details(of: "sign_in.opened").last
            #expect(opened?.contains(AuditDetail("factor", "oidc+totp")) == true)
        }
    }

    @Test func `a client without a secret says its name alone, and providers are listed by what people read`()
        async throws
    {
        try await withAPI { world in
            try await world.addProvider(isPublic: true)
            _ = try await ProviderBrowser(world).signIn()
            #expect(world.provider.authorizations == [nil])
            #expect(world.provider.forms.first?.contains("client_id=client") == true)
            let listed = try await world.send(.get, "/v1/auth/providers")
            #expect(listed.text == #"{"providers":[{"name":"acme","label":"Acme"}]}"#)
            #expect(
                try await world.send(.post, "/v1/auth/oidc/other/start", ProviderBrowser(world).startForm()).status
                    == 404
            )
        }
    }
}
