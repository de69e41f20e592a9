import Auth
import Bytes
import Core
import HTTP
import Testing

@testable import API

@Suite struct DeviceGrantTests {
    private static let grant = "urn:ietf:params:oauth:grant-type:device_code"

    private struct Begun {
        let device: String
        let user: String
    }

    private static func begin(_ world: APIWorld, name: String = "laptop") async throws -> Begun {
        let answer = try await world.form(
            "/oauth/device_authorization",
            ["client_id": "errand", "device_name": name],
            headers: [("user-agent", "errand/1")]
        )
        try #require(answer.status == 200, "\(answer.text)")
        #expect(answer.json["interval"]?.integer == 5 && answer.json["expires_in"]?.integer == 600)
        let page = APIWorld.publicURL + "/device"
        let user = try #require(answer.json["user_code"]?.string)
        #expect(answer.json["verification_uri"]?.string == page)
        #expect(answer.json["verification_uri_complete"]?.string == "\(page)?user_code=\(user)")
        return Begun(device: try #require(answer.json["device_code"]?.string), user: user)
    }

    private static func poll(
        _ begun: Begun,
        in world: APIWorld,
        client: String = "errand",
        replica: Int = 0
    ) async throws
        -> APIAnswer
    {
        let fields: KeyValuePairs = ["grant_type": grant, "device_code": begun.device, "client_id": client]
        return try await world.form("/oauth/token", fields, replica: replica)
    }

    /// Answers a code in a browser that is signed in.
    private static func answer(_ browser: PageBrowser, _ code: String, _ decision: String) async throws -> Int {
        try await browser.get("/device")
        try await browser.post("/device", ["user_code": code])
        return try await browser.post("/device", ["user_code": code, "decision": decision]).status
    }

    @Test func `item 49: the page shows what asks, and only the button signs it in`() async throws {
        try await withAPI(replicas: 2) { world in
            let person = try await world.person()
            let begun = try await Self.begin(world, name: "build machine")
            #expect(try await Self.poll(begun, in: world).oauthError == "authorization_pending")
            let browser = PageBrowser(world)
            // The link leads over the sign-in, and then only fills the code in.
            try await browser.get("/device?user_code=\(begun.user)")
            #expect(browser.location == "/signin?return_to=%2Fdevice%3Fuser_code%3D\(begun.user)")
            try await browser.signIn(person)
            try await browser.get("/device?user_code=\(begun.user)")
            #expect(browser.page.contains("value=\"\(begun.user)\"") && !browser.page.contains("build machine"))
            try await browser.post("/device", ["user_code": begun.user])
            for shown in [
                begun.user, "Errand&#39;s command line", "build machine", "192.0.2.9", "errand/1",
                world.time.now.rfc3339, "everything that you can do",
            ] { #expect(browser.page.contains(shown), "\(shown)") }
            world.time.advance(by: .seconds(5))
            #expect(try await Self.poll(begun, in: world).oauthError == "authorization_pending")
            let fields: KeyValuePairs = ["user_code": begun.user, "decision": "approve"]
            #expect(try await browser.post("/device", fields).status == 200)
            #expect(browser.page.contains("The device is signed in"))
            world.time.advance(by: .seconds(5))
            let tokens = try APITokens(try await Self.poll(begun, in: world, replica: 1))
            #expect(
                try await world.send(.get, "/v1/me", token: tokens.access).json["email"]?.string == person.user.email
            )
            let refreshed = try await world.send(.post, "/v1/auth/refresh", .form(["refresh_token": tokens.refresh]))
            #expect(refreshed.status == 200)
            let devices = try await world.send(.get, "/v1/me/devices", token: tokens.access).json["items"]?.array
            #expect(devices?.contains { $0["name"]?.string == "build machine" && $0["current"]?.bool == true } == true)
            let facts = try await world.facts(of: "device.approved")
            #expect(facts.contains(AuditDetail("device_address", "192.0.2.9")))
        }
    }

    @Test func `item 49: approval needs a proof of identity that is at most ten minutes old`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let browser = PageBrowser(world)
            try await browser.signIn(person)
            world.time.advance(by: .seconds(599))
            let begun = try await Self.begin(world)
            #expect(try await Self.answer(browser, begun.user, "look") == 400)
            world.time.advance(by: .seconds(1))
            try await browser.get("/device")
            let fields: KeyValuePairs = ["user_code": begun.user, "decision": "approve"]
            #expect(try await browser.post("/device", fields).status == 303)
            #expect(browser.location?.hasPrefix("/signin?again=true&return_to=") == true)
            #expect(try await Self.poll(begun, in: world).oauthError == "authorization_pending")
            try await browser.get("/signin?again=true")
            try await browser.post("/signin", ["email": person.user.email, "password": APIWorld.password])
            #expect(try await Self.answer(browser, begun.user, "approve") == 200)
            world.time.advance(by: .seconds(5))
            // Who got a code confirmed has proved nothing: a confirmation that was begged for gives no keys and no factors.
            let tokens = try APITokens(try await Self.poll(begun, in: world))
            let key = JSONValue.members(["name": .string("k"), "scopes": .strings(["jobs:read"])])
            let path = "/v1/teams/\(person.team.id)/api-keys"
            #expect(try await world.send(.post, path, key, token: tokens.access).code == "reauthentication_required")
            let begin = try await world.send(.post, "/v1/me/totp", token: tokens.access)
            #expect(begin.code == "reauthentication_required")
            let proof = JSONValue.form(["password": APIWorld.password])
            #expect(try await world.send(.post, "/v1/auth/reauthenticate", proof, token: tokens.access).status == 204)
            #expect(try await world.send(.post, path, key, token: tokens.access).status == 201)
        }
    }

    @Test func `item 47: who asks too soon is told to slow down, and has to`() async throws {
        try await withAPI { world in
            let (hasty, patient) = (try await Self.begin(world), try await Self.begin(world))
            func step(_ seconds: Int, _ begun: Begun) async throws -> String? {
                world.time.advance(by: .seconds(seconds))
                return try await Self.poll(begun, in: world).oauthError
            }
            #expect(try await step(0, hasty) == "authorization_pending")
            #expect(try await step(4, hasty) == "slow_down")
            #expect(try await step(5, hasty) == "slow_down")
            #expect(try await step(14, hasty) == "slow_down")
            #expect(try await step(20, hasty) == "authorization_pending")
            // The other one's interval is its own.
            #expect(try await step(0, patient) == "authorization_pending")
            #expect(try await step(5, patient) == "authorization_pending")
        }
    }

    @Test func `item 46: a code counts once, for ten minutes, in whatever case and with whatever dashes`() async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            let browser = PageBrowser(world)
            try await browser.signIn(person)
            let begun = try await Self.begin(world)
            let typed = " " + begun.user.lowercased().replacing("-", with: " – ")
            #expect(try await Self.answer(browser, typed, "approve") == 200)
            // Answered: it is gone.
            #expect(try await Self.answer(browser, begun.user, "approve") == 404)
            _ = try APITokens(try await Self.poll(begun, in: world))
            world.time.advance(by: .seconds(10))
            #expect(try await Self.poll(begun, in: world).oauthError == "invalid_grant")

            let late = try await Self.begin(world)
            world.time.advance(by: .seconds(600))
            let second = PageBrowser(world, address: "198.51.100.7")
            try await second.signIn(try await world.person())
            #expect(try await Self.answer(second, late.user, "approve") == 404)
            #expect(try await Self.poll(late, in: world).oauthError == "expired_token")

            let refused = try await Self.begin(world)
            #expect(try await Self.answer(second, refused.user, "refuse") == 200)
            #expect(try await Self.poll(refused, in: world).oauthError == "access_denied")
            #expect(try await world.acts().contains { $0.action == "device.refused" })
        }
    }

    @Test func `item 48: wrong codes make the account wait, from wherever it tries`() async throws {
        try await withAPI { world in
            let (person, other) = (try await world.person(), try await world.person())
            let begun = try await Self.begin(world)
            let browser = PageBrowser(world)
            try await browser.signIn(person)
            try await browser.get("/device")
            var statuses: [Int] = []
            for _ in 0..<6 {
                statuses.append(try await browser.post("/device", ["user_code": UserCode.make().shown]).status)
            }
            #expect(statuses == [404, 404, 404, 404, 404, 429])
            #expect(try await browser.post("/device", ["user_code": begun.user]).status == 429)
            // Nobody else waits for them.
            let second = PageBrowser(world, address: "198.51.100.7")
            try await second.signIn(other)
            #expect(try await Self.answer(second, begun.user, "approve") == 200)
        }
    }

    @Test func `item 48: who has to wait for their own wrong codes takes no tries from everybody`() async throws {
        try await withAPI { world in
            let browser = PageBrowser(world)
            try await browser.signIn(try await world.person())
            try await browser.get("/device")
            for _ in 0..<20 { try await browser.post("/device", ["user_code": UserCode.make().shown]) }
            let rates = world.replicas[0].endpoints.rates
            var left = 0
            while left < 100, (try? await rates.takeUserCode()) != nil { left += 1 }
            // Of sixty, five were judged.
            #expect((54...57).contains(left))
        }
    }

    @Test func `item 48: a right code of one's own forgives no wrong ones`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let own = try await Self.begin(world)
            let browser = PageBrowser(world)
            try await browser.signIn(person)
            try await browser.get("/device")
            var statuses: [Int] = []
            for _ in 0..<4 {
                statuses.append(try await browser.post("/device", ["user_code": UserCode.make().shown]).status)
            }
            #expect(try await browser.post("/device", ["user_code": own.user]).status == 200)
            for _ in 0..<2 {
                statuses.append(try await browser.post("/device", ["user_code": UserCode.make().shown]).status)
            }
            #expect(statuses == [404, 404, 404, 404, 404, 429])
        }
    }

    @Test func `item 48: all wrong codes together are few`() async throws {
        try await withAPI { world in
            let endpoints = world.replicas[0].endpoints
            var taken = 0
            while taken < 100, (try? await endpoints.rates.takeUserCode()) != nil { taken += 1 }
            #expect((60...62).contains(taken))
            endpoints.rates.giveBackUserCode()
            try await endpoints.rates.takeUserCode()
        }
    }

    @Test func `item 50: a device code is its client's, 256 bits, and is kept as a hash only`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let browser = PageBrowser(world)
            try await browser.signIn(person)
            let begun = try await Self.begin(world)
            #expect(Base64.decodeURL(begun.device.dropFirst(4))?.count == 32)
            #expect(try await Self.answer(browser, begun.user, "approve") == 200)
            #expect(try await Self.poll(begun, in: world, client: "browser").oauthError == "invalid_grant")
            #expect(try await Self.poll(begun, in: world, client: "other").oauthError == "invalid_grant")
            _ = try APITokens(try await Self.poll(begun, in: world))
            let other = try await world.form("/oauth/device_authorization", ["client_id": "browser"])
            #expect(other.status == 401 && other.oauthError == "invalid_client")
            let wide = try await world.form(
                "/oauth/device_authorization",
                ["client_id": "errand", "scope": "everything"]
            )
            #expect(wide.status == 400 && wide.oauthError == "invalid_scope")
        }
    }

    @Test func `what was confirmed and not yet exchanged ends with the password, and with the account`() async throws {
        try await withAPI { world in
            let (changing, disabled) = (try await world.person(), try await world.person())
            var waiting: [Begun] = []
            for person in [changing, disabled] {
                let browser = PageBrowser(world)
                try await browser.signIn(person)
                let begun = try await Self.begin(world)
                #expect(try await Self.answer(browser, begun.user, "approve") == 200)
                waiting.append(begun)
            }
            let form = JSONValue.form(["current_password": APIWorld.password, "new_password": "tall ships at anchor"])
            let token = try await world.device(of: changing).token
            #expect(try await world.send(.post, "/v1/me/password", form, token: token).status == 204)
            #expect(try await world.disable(disabled))
            for begun in waiting { #expect(try await Self.poll(begun, in: world).oauthError == "invalid_grant") }
        }
    }

    @Test func `refusals have the form of RFC 6749`() async throws {
        try await withAPI { world in
            let cases: [(KeyValuePairs<String, String>, Int, String)] = [
                ([:], 400, "invalid_request"), (["grant_type": "password"], 400, "unsupported_grant_type"),
                (["grant_type": Self.grant], 400, "invalid_request"),
                (["grant_type": Self.grant, "client_id": "errand"], 400, "invalid_grant"),
                (["grant_type": Self.grant, "client_id": "errand", "device_code": "x"], 400, "invalid_grant"),
                (["grant_type": Self.grant, "grant_type": Self.grant], 400, "invalid_request"),
            ]
            for (fields, status, error) in cases {
                let answer = try await world.form("/oauth/token", fields)
                #expect(answer.status == status && answer.oauthError == error, "\(fields)")
                #expect(answer.headers["content-type"] == "application/json")
            }
            let json = try await world.send(.post, "/oauth/token", .form(["grant_type": Self.grant]))
            #expect(json.status == 400 && json.oauthError == "invalid_request")
        }
    }
}
