import Auth
import Bytes
import Core
import HTTP
import Platform
import Store
import Testing

@testable import API

@Suite struct ResetTests {
    private static let new = "twelve tall ships at anchor"

    private static func issue(_ person: APIPerson, in world: APIWorld) async throws -> PasswordResetToken {
        let token = PasswordResetToken.make()
        let isIssued = try await world.store.passwords.issueReset(
            person.user.id,
            hash: token.hash,
            now: world.time.now,
            expiresAt: world.time.now.adding(PasswordResetToken.lifetime),
            audit: AuditDraft(
                at: world.time.now,
                team: nil,
                actor: .administrator("root"),
                action: "password.reset_issued",
                target: person.user.id.description
            )
        )
        try #require(isIssued)
        return token
    }

    private static func use(_ token: String, _ password: String = new, in world: APIWorld) async throws -> APIAnswer {
        try await world.send(.post, "/v1/auth/reset", .form(["token": token, "new_password": password]))
    }

    @Test func `item 29: a link sets a password once, signs nobody in, and ends every sign-in`() async throws {
        try await withAPI(replicas: 2) { world in
            let person = try await world.person()
            let before = try await world.signIn(person)
            let watcher = try await Watcher(
                try await world.job(of: person).id,
                token: before.access,
                in: world,
                replica: 1
            )
            let token = try await Self.issue(person, in: world)
            let used = try await Self.use(token.token, in: world)
            #expect(used.status == 204 && used.body.isEmpty)
            #expect(try await world.send(.get, "/v1/me", token: before.access).status == 401)
            #expect(await watcher.ends(within: .seconds(1)))
            #expect(try await Self.use(token.token, in: world).code == "reset_refused")
            let tokens = try await world.signIn(person, password: Self.new)
            let actions = try await world.acts().map(\.action)
            #expect(actions.contains("password.reset_issued") && actions.contains("password.changed"))
            let notices = try await world.send(.get, "/v1/me/notices", token: tokens.access)
            #expect(notices.json["items"]?.array?.first?["kind"]?.string == "password_reset")
        }
    }

    @Test func `item 29: a link lives fifteen minutes, and another one or a change of the password ends it`()
        async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            let late = try await Self.issue(person, in: world)
            world.time.advance(by: .seconds(900))
            #expect(try await Self.use(late.token, in: world).code == "reset_refused")
            let first = try await Self.issue(person, in: world)
            let second = try await Self.issue(person, in: world)
            #expect(try await Self.use(first.token, in: world).code == "reset_refused")
            let here = try await world.device(of: person).token
            let form = JSONValue.form(["current_password": APIWorld.password, "new_password": Self.new])
            #expect(try await world.send(.post, "/v1/me/password", form, token: here).status == 204)
            #expect(try await Self.use(second.token, in: world).code == "reset_refused")
            let third = try await Self.issue(person, in: world)
            world.time.advance(by: .seconds(899))
            #expect(try await Self.use(third.token, Self.new + " again", in: world).status == 204)
        }
    }

    @Test func `a refused password does not use the link up`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await Self.issue(person, in: world)
            #expect(try await Self.use(token.token, "password1234", in: world).code == "password_refused")
            #expect(try await Self.use(token.token, person.user.email, in: world).code == "password_refused")
            #expect(try await Self.use(token.token, in: world).status == 204)
        }
    }

    @Test func `item 31: links that are unknown, used, expired, malformed or of a disabled account get one answer`()
        async throws
    {
        try await withAPI { world in
            let (one, two, three) = (try await world.person(), try await world.person(), try await world.person())
            let used = try await Self.issue(one, in: world)
            #expect(try await Self.use(used.token, in: world).status == 204)
            let disabled = try await Self.issue(two, in: world)
            #expect(try await world.disable(two))
            let expired = try await Self.issue(three, in: world)
            world.time.advance(by: .seconds(901))
            var answers: [APIAnswer] = []
            for token in [used.token, disabled.token, expired.token, PasswordResetToken.make().token, "erp_x", "x"] {
                answers.append(try await Self.use(token, in: world))
            }
            #expect(Set(answers.map(\.shape)).count == 1)
            #expect(answers.first?.code == "reset_refused")
        }
    }

    @Test func `of a link that is used many times at once one use counts`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let token = try await Self.issue(person, in: world)
            var statuses: [Int] = []
            let answered = LoopCondition()
            for index in 0..<6 {
                world.loop.spawnLocal {
                    let answer = try? await Self.use(token.token, "\(Self.new) \(index)", in: world)
                    statuses.append(answer?.status ?? 0)
                    answered.signalAll()
                }
            }
            while statuses.count < 6 { await answered.wait() }
            #expect(statuses.count { $0 == 204 } == 1)
            #expect(statuses.count { $0 == 401 } == 5)
        }
    }
}
