import Auth
import Bytes
import Core
import HTTP
import Store
import Testing

@testable import API

/// The pages that links in mails and messages lead to.
@Suite struct LinkPageTests {
    private static let new = "twelve tall ships at anchor"

    private static func resetLink(_ person: APIPerson, in world: APIWorld) async throws -> String {
        let token = PasswordResetToken.make()
        let isIssued = try await world.store.passwords.issueReset(
            person.user.id,
            hash: token.hash,
            now: world.time.now,
            expiresAt: world.time.now.adding(PasswordResetToken.lifetime),
            audit: AuditDraft(at: world.time.now, team: nil, actor: .system, action: "password.reset_issued")
        )
        try #require(isIssued)
        return String(token.link(APIWorld.publicURL).dropFirst(APIWorld.publicURL.count))
    }

    private static func invite(_ world: APIWorld, by owner: APIPerson, email: String? = nil) async throws -> String {
        let token = try await world.device(of: owner).token
        let form: KeyValuePairs<String, String> = email.map { ["email": $0] } ?? [:]
        let answer = try await world.send(.post, "/v1/teams/\(owner.team.id)/invites", .form(form), token: token)
        let link = try #require(answer.json["url"]?.string, "\(answer.text)")
        return String(link.dropFirst(APIWorld.publicURL.count))
    }

    @Test func `item 29: the reset page sets a password once, and signs nobody in`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let link = try await Self.resetLink(person, in: world)
            let browser = PageBrowser(world)
            try await browser.get(link)
            let token = try #require(browser.value(of: "token"))
            func send(_ password: String, again: String? = nil) async throws -> Int {
                let fields: KeyValuePairs = ["token": token, "password": password, "again": again ?? password]
                return try await browser.post("/reset", fields).status
            }
            #expect(try await send(Self.new, again: "something else entirely") == 422)
            #expect(try await send("password1234") == 422)
            #expect(browser.page.contains("Choose another password") && !browser.page.contains("password1234"))
            #expect(try await send(Self.new) == 200)
            #expect(browser.page.contains("The password is set"))
            #expect(browser.cookies[BrowserCookie.session.rawValue] == nil)
            try await browser.get(link)
            #expect(try await send(Self.new) == 401)
            _ = try await world.signIn(person, password: Self.new)
        }
    }

    @Test func `item 31: reset links that are unknown, used, late or no links get one page`() async throws {
        try await withAPI { world in
            let (one, two) = (try await world.person(), try await world.person())
            let used = try await Self.resetLink(one, in: world)
            let late = try await Self.resetLink(two, in: world)
            let first = PageBrowser(world)
            try await first.get(used)
            let fields: KeyValuePairs = [
                "token": try #require(first.value(of: "token")), "password": Self.new, "again": Self.new,
            ]
            #expect(try await first.post("/reset", fields).status == 200)
            world.time.advance(by: .seconds(900))
            var pages: Set<String> = []
            for (index, link) in [
                used, late, "/reset?token=\(PasswordResetToken.make().token)", "/reset?token=erp_short",
            ]
            .enumerated() {
                let browser = PageBrowser(world, address: "198.51.100.\(index + 1)")
                let shown = try await browser.get(link)
                let token = try #require(browser.value(of: "token"))
                let form = browser.formToken ?? ""
                pages.insert("\(shown.status)" + shown.text.replacing(token, with: "T").replacing(form, with: "F"))
                let fields: KeyValuePairs = ["token": token, "password": Self.new, "again": Self.new]
                let answer = try await browser.post("/reset", fields)
                #expect(answer.status == 401)
                pages.insert("\(answer.status)" + answer.text.replacing(token, with: "T").replacing(form, with: "F"))
            }
            #expect(pages.count == 2)
        }
    }

    @Test func `an invitation leads over the sign-in to a page that names the team, and to its membership`()
        async throws
    {
        try await withAPI { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            let link = try await Self.invite(world, by: owner)
            let browser = PageBrowser(world)
            try await browser.get(link)
            #expect(browser.location?.hasPrefix("/signin?return_to=%2Finvite%3Ftoken%3Deinv_") == true)
            try await browser.signIn(guest, returnTo: link)
            #expect(browser.location == link)
            try await browser.get(link)
            #expect(browser.page.contains(owner.team.name) && browser.page.contains("member"))
            let token = try #require(browser.value(of: "token"))
            #expect(try await browser.post("/invite", ["token": token]).status == 200)
            #expect(browser.page.contains("You are in the team"))
            let teams = try await world.store.teams.memberships(of: guest.user.id).map(\.team.id)
            #expect(teams.contains(owner.team.id))
        }
    }

    @Test func `item 31: invitations that cannot be taken up get one page, whatever the reason`() async throws {
        try await withAPI { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            let used = try await Self.invite(world, by: owner)
            let browser = PageBrowser(world)
            try await browser.signIn(guest)
            try await browser.get(used)
            try await browser.post("/invite", ["token": try #require(browser.value(of: "token"))])
            let others = try await Self.invite(world, by: owner, email: "else@example.org")
            let late = try await Self.invite(world, by: owner)
            world.time.advance(by: .seconds(8 * 86_400))
            try await browser.signIn(guest)
            var shapes: Set<String> = []
            for link in [used, others, late, "/invite?token=\(InviteToken.make().token)", "/invite?token=x", "/invite"]
            {
                let answer = try await browser.get(link)
                #expect(answer.status == 404)
                shapes.insert(answer.text)
            }
            #expect(shapes.count == 1)
            try await browser.get("/signin")
            let token = String(others.dropFirst("/invite?token=".count))
            #expect(try await browser.post("/invite", ["token": token]).text == shapes.first)
        }
    }
}
