import Bytes
import Core
import HTTP
import Store
import Testing

@testable import API

/// What the answer to a sign-in tells of an account.
@Suite struct DisabledAccountTests {
    @Test func `item 31: a disabled account answers like one that is not there, to the right password too`()
        async throws
    {
        try await withAPI { world in
            let (known, disabled) = (try await world.person(), try await world.person())
            let audit = AuditDraft(at: world.time.now, team: nil, actor: .system, action: "user.disabled")
            #expect(try await world.store.accounts.setDisabled(disabled.user.id, true, audit: audit))
            func login(_ email: String, _ password: String, _ number: Int) async throws -> APIAnswer {
                let form = JSONObject([("email", .string(email)), ("password", .string(password))])
                return try await world.send(.post, "/v1/auth/login", .object(form), address: "192.0.2.\(number)")
            }
            let wrong = "wrong horse battery"
            let answers = [
                try await login(known.user.email, wrong, 1), try await login("nobody@example.org", wrong, 2),
                try await login("nobody@example.org", APIWorld.password, 3), try await login("no address", wrong, 4),
                try await login(disabled.user.email, wrong, 5),
                try await login(disabled.user.email, APIWorld.password, 6),
            ]
            for answer in answers {
                #expect(answer.status == 401 && answer.code == "wrong_credentials", "\(answer.text)")
                #expect(answer.anonymous == answers[0].anonymous && answer.body.count == answers[0].body.count)
                #expect(answer.headers.anonymous == answers[0].headers.anonymous)
            }
            #expect(try await login(known.user.email, APIWorld.password, 1).status == 200)
        }
    }
}
