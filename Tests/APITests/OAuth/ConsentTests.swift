import Auth
import Bytes
import Core
import HTTP
import Testing

@testable import API

@Suite struct ConsentTests {
    @Test func `item 39: the page names who asks, for what, in which team and as whom, and only the button gives it`()
        async throws
    {
        try await withAPI { world in
            let stage = try await OAuthStage(world)
            let signedOut = PageBrowser(world)
            try await signedOut.get(stage.target())
            let place = try #require(try OAuthStage.parameters(signedOut.location)["return_to"])
            #expect(place == stage.target())
            try await signedOut.signIn(stage.person, returnTo: place)
            #expect(signedOut.location == place)
            let page = try await stage.browser.get(stage.target())
            #expect(page.status == 200)
            for shown in [
                "Dashboard", stage.person.team.name, stage.person.user.email, "see jobs and their logs",
                OAuthStage.redirect,
            ] { #expect(page.text.contains(shown), "\(shown)") }
            #expect(!page.text.contains("see projects"))
            let policy = page.headers["content-security-policy"] ?? ""
            #expect(policy.contains("form-action 'self' https://app.test;"))
            let answer = try await stage.consent()
            #expect(answer["state"] == "s t&a" && answer["iss"] == APIWorld.publicURL && answer["code"] != nil)
            let refusal = try await stage.consent("refuse")
            #expect(refusal["error"] == "access_denied" && refusal["state"] == "s t&a" && refusal["code"] == nil)
            #expect(refusal["iss"] == APIWorld.publicURL)
            let actions = try await world.acts(of: stage.person.team).map(\.action)
            for action in ["client.created", "consent.given", "consent.refused"] { #expect(actions.contains(action)) }
        }
    }

    @Test func `item 39: without PKCE by S256, a state or a known scope the client is told, and nobody is asked`()
        async throws
    {
        try await withAPI { world in
            let stage = try await OAuthStage(world)
            let cases: [([String: String?], String)] = [
                (["code_challenge": nil], "invalid_request"),
                (["code_challenge": "short"], "invalid_request"),
                (["code_challenge_method": "plain"], "invalid_request"),
                (["code_challenge_method": nil], "invalid_request"), (["state": nil], "invalid_request"),
                (["response_type": "token"], "unsupported_response_type"),
                (["response_type": nil], "unsupported_response_type"),
                (["scope": nil], "invalid_scope"), (["scope": "everything"], "invalid_scope"),
                (["scope": "all"], "invalid_scope"), (["scope": "jobs:read jobs:run"], "invalid_scope"),
            ]
            for (changes, error) in cases {
                let answer = try await stage.browser.get(stage.target(changes))
                #expect(answer.status == 303, "\(changes)")
                #expect(stage.browser.location?.hasPrefix(OAuthStage.redirect + "?") == true)
                let told = try OAuthStage.parameters(stage.browser.location)
                #expect(told["error"] == error && told["iss"] == APIWorld.publicURL, "\(changes)")
            }
        }
    }

    @Test func `item 40: nobody is sent to an address that the client has not registered`() async throws {
        try await withAPI { world in
            let stage = try await OAuthStage(world)
            let stranger = OAuthClientID(at: world.time.now).description
            let cases: [[String: String?]] = [
                ["client_id": stranger], ["client_id": "errand"], ["client_id": nil],
                ["redirect_uri": nil], ["redirect_uri": "https://evil.test/"],
                ["redirect_uri": "https://app.test/back/"], ["redirect_uri": "https://app.test/back?x=1"],
                ["redirect_uri": "https://app.test.evil.test/back"], ["redirect_uri": "javascript:alert(1)"],
                ["redirect_uri": "http://localhost/back"],
            ]
            for changes in cases {
                let answer = try await stage.browser.get(stage.target(changes))
                #expect(answer.status == 400 && stage.browser.location == nil, "\(changes)")
            }
            let twice = try await stage.browser.get(stage.target() + "&redirect_uri=https%3A%2F%2Fevil.test")
            #expect(twice.status == 400)
            // The control, with a port that the program chose when it ran.
            let loopback = "http://127.0.0.1:49152/back"
            #expect(try await stage.browser.get(stage.target(["redirect_uri": loopback])).status == 200)
        }
    }

    @Test func `people of other teams are not asked, and a form that was altered gives nothing`() async throws {
        try await withAPI { world in
            let stage = try await OAuthStage(world)
            let outsider = PageBrowser(world)
            try await outsider.signIn(try await world.person())
            #expect(try await outsider.get(stage.target()).status == 403)
            #expect(outsider.page.contains("a team that you are not in"))
            try await stage.browser.get(stage.target())
            let own = [("origin", APIWorld.publicURL)]
            for (name, value) in [("redirect_uri", "https://evil.test/"), ("client_id", "app_x")] {
                let pairs = stage.fields("allow", [name: value]) + [("form", stage.browser.formToken ?? "")]
                let answer = try await stage.browser.send(.post, "/oauth/authorize", PageBrowser.encode(pairs), own)
                #expect(answer.status == 400 && stage.browser.location == nil)
                try await stage.browser.get(stage.target())
            }
            let pairs = stage.fields("allow") + [("form", "x")]
            let answer = try await stage.browser.send(.post, "/oauth/authorize", PageBrowser.encode(pairs), own)
            #expect(answer.status == 403)
        }
    }
}
