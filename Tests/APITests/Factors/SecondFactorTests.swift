import Auth
import Bytes
import Core
import HTTP
import Store
import Testing

@testable import API

/// Checklist items 31 and 34 to 38 at the API.
@Suite struct SecondFactorTests {
    @Test
    func `item 38: the password alone leads to a second step, whose token opens nothing and dies in five minutes`()
        async throws
    {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            world.time.advance(by: .seconds(60))
            let answer = try await person.login(["device_name": "telephone"])
            #expect(answer.status == 401 && answer.code == "second_factor_required")
            #expect(answer.json["expires_in"]?.integer == 300)
            #expect(answer.json["methods"]?.array == [.string("totp"), .string("recovery_code")])
            #expect(answer.json["access_token"] == nil && answer.json["refresh_token"] == nil)
            let interim = try #require(answer.json["interim_token"]?.string)
            #expect(try await person.send(.get, "/v1/me", token: interim).code == "unauthenticated")
            let access = try await person.second(person.token, ["otp": person.code()])
            #expect(access.code == "interim_token_refused")
            #expect(try await person.second("a.b.c", ["otp": person.code()]).code == "interim_token_refused")
            world.time.advance(by: .seconds(299))
            let tokens = try APITokens(await person.second(interim, ["otp": person.code()]))
            let devices = try await person.send(.get, "/v1/me/devices", token: tokens.access)
            #expect(devices.json["items"]?.array?.first?["name"]?.string == "telephone")
            world.time.advance(by: .seconds(30))
            let late = try await person.second(interim, ["otp": person.code()])
            #expect(late.status == 401 && late.code == "interim_token_refused")
        }
    }

    @Test func `item 38: an interim token ends with the password, and with the account`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            world.time.advance(by: .seconds(60))
            let interim = try await person.interim()
            let change = ["current_password": APIWorld.password, "new_password": "quarry velvet monsoon"]
            #expect(try await person.send(.post, "/v1/me/password", change, token: person.token).status == 204)
            #expect(try await person.second(interim, ["otp": person.code()]).code == "interim_token_refused")
            let answer = try await person.login(password: "quarry velvet monsoon")
            let fresh = try #require(answer.json["interim_token"]?.string)
            #expect(try await world.disable(person.person))
            #expect(try await person.second(fresh, ["otp": person.code()]).code == "interim_token_refused")
        }
    }

    @Test func `item 29: a reset of the password does not skip the second factor`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            world.time.advance(by: .seconds(60))
            let link = PasswordResetToken.make()
            let isIssued = try await world.store.passwords.issueReset(
                person.person.user.id,
                hash: link.hash,
                now: world.time.now,
                expiresAt: world.time.now.adding(PasswordResetToken.lifetime),
                audit: AuditDraft(
                    at: world.time.now,
                    team: nil,
                    actor: .administrator("root"),
                    action: "password.reset_issued"
                )
            )
            #expect(isIssued)
            let interim = try await person.interim()
            let new = ["token": link.token, "new_password": "quarry velvet monsoon"]
            #expect(try await person.send(.post, "/v1/auth/reset", new).status == 204)
            #expect(try await person.second(interim, ["otp": person.code()]).code == "interim_token_refused")
            let bare = try await person.login(password: "quarry velvet monsoon")
            #expect(bare.code == "second_factor_required")
            _ = try APITokens(await person.login(["otp": person.code()], password: "quarry velvet monsoon"))
        }
    }

    @Test func `the device is known after both steps and not after the first`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            world.time.advance(by: .seconds(60))
            let first = try await person.login()
            #expect(first.code == "second_factor_required" && first.json["device_token"] == nil)
            let interim = try #require(first.json["interim_token"]?.string)
            let tokens = try APITokens(await person.second(interim, ["otp": person.code()]))
            let shown = try #require(tokens.device)
            let device = world.replicas[0].services.deviceTokens.read(shown, now: world.time.now)
            #expect(device != nil)
        }
    }

    @Test func `a code may come with the password, and a person without a factor needs none`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            world.time.advance(by: .seconds(60))
            _ = try APITokens(await person.login(["otp": person.code()]))
            let wrong = try await person.login(["otp": person.wrongCode()])
            #expect(wrong.status == 401 && wrong.code == "wrong_code")
            let plain = try await FactorPerson(in: world, enrolled: false)
            _ = try APITokens(await plain.login())
            _ = try APITokens(await plain.login(["otp": "123456"]))
            let last = try #require(try await person.acts().filter { $0.action == "sign_in.opened" }.last)
            #expect(last.details.contains(AuditDetail("factor", "password")))
        }
    }

    @Test func `item 34: a code works once, also of many at once and on another replica`() async throws {
        try await withAPI(replicas: 2) { world in
            let person = try await FactorPerson(in: world)
            // The code that confirmed the application is used.
            #expect(try await person.login(["otp": person.code()]).code == "wrong_code")
            world.time.advance(by: .seconds(30))
            let interim = try await person.interim()
            let code = person.code()
            let answers = try await world.atOnce(4) { index in
                try await person.second(interim, ["otp": code], replica: index % 2)
            }
            #expect(answers.map(\.status).sorted() == [200, 401, 401, 401])
            #expect(try await person.second(interim, ["otp": code], replica: 1).code == "wrong_code")
            #expect(try await person.second(interim, ["otp": person.code(-1)]).code == "wrong_code")
            _ = try APITokens(await person.second(interim, ["otp": person.code(1)], replica: 1))
        }
    }

    @Test func `item 36: five wrong codes hold an account's codes up, whoever begins anew with the password`()
        async throws
    {
        try await withAPI(replicas: 2) { world in
            let person = try await FactorPerson(in: world)
            world.time.advance(by: .seconds(60))
            for number in 1...5 {
                let interim = try await person.interim()
                let answer = try await person.second(interim, ["otp": person.wrongCode()], replica: number % 2)
                #expect(answer.code == "wrong_code", "\(number)")
            }
            let interim = try await person.interim()
            let held = try await person.second(interim, ["otp": person.code()], replica: 1)
            #expect(held.status == 429 && held.code == "codes_held_up")
            #expect(held.headers["retry-after"] == "1")
            #expect(try await person.login(["otp": person.code()]).code == "codes_held_up")
            // The same wait holds for a code of a device that is signed in.
            let again = try await person.send(
                .post,
                "/v1/auth/reauthenticate",
                ["otp": person.code()],
                token: person.token
            )
            #expect(again.code == "codes_held_up")
            // A recovery code is no guess, and nobody locks its owner out.
            let recovered = try await person.second(interim, ["recovery_code": person.recoveryCodes[0]])
            _ = try APITokens(recovered)
            _ = try APITokens(await person.second(interim, ["otp": person.code()]))
            let notices = try await person.send(.get, "/v1/me/notices", token: person.token)
            let kinds = (notices.json["items"]?.array ?? []).compactMap { $0["kind"]?.string }
            #expect(kinds.contains("factor_refused") && kinds.contains("recovery_used"))
            #expect(try await person.acts().count { $0.action == "factor.refused" } == 5)
        }
    }

    @Test func `item 36: the waits double`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            world.time.advance(by: .seconds(60))
            for _ in 1...5 { _ = try await person.login(["otp": person.wrongCode()]) }
            for seconds in [1, 2, 4] {
                let held = try await person.login(["otp": person.wrongCode()])
                #expect(held.headers["retry-after"] == "\(seconds)")
                world.time.advance(by: .seconds(seconds))
                #expect(try await person.login(["otp": person.wrongCode()]).code == "wrong_code")
            }
        }
    }

    @Test func `item 37: each recovery code signs in once, and new ones kill the old`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            #expect(person.recoveryCodes.count == 10)
            let interim = try await person.interim()
            let first = person.recoveryCodes[0]
            let tokens = try APITokens(await person.second(interim, ["recovery_code": first.uppercased()]))
            let again = try await person.second(interim, ["recovery_code": first])
            #expect(again.status == 401 && again.code == "wrong_recovery_code")
            let me = try await person.send(.get, "/v1/me", token: tokens.access)
            #expect(me.json["second_factor"]?["recovery_codes_left"]?.integer == 9)
            let replaced = try await person.send(.post, "/v1/me/recovery-codes", token: tokens.access)
            #expect(replaced.status == 201)
            let codes = (replaced.json["recovery_codes"]?.array ?? []).compactMap(\.string)
            #expect(codes.count == 10 && Set(codes).isDisjoint(with: person.recoveryCodes))
            let old = try await person.second(interim, ["recovery_code": person.recoveryCodes[1]])
            #expect(old.code == "wrong_recovery_code")
            _ = try APITokens(await person.second(interim, ["recovery_code": codes[0]]))
            #expect(try await person.acts().contains { $0.action == "recovery.used" })
            #expect(try await person.acts().contains { $0.action == "recovery.replaced" })
        }
    }

    @Test func `item 31: without the right password an account with a second factor looks like none`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            world.time.advance(by: .seconds(60))
            var shapes: [String] = []
            for email in [person.person.user.email, "nobody@example.org"] {
                let fields = ["email": email, "password": "wrong horse battery", "otp": person.code()]
                let answer = try await person.send(.post, "/v1/auth/login", fields)
                #expect(answer.status == 401 && answer.code == "wrong_credentials")
                shapes.append(answer.shape)
            }
            #expect(shapes[0] == shapes[1])
            // The right code was not used up.
            _ = try APITokens(await person.login(["otp": person.code()]))
        }
    }

    @Test(arguments: [
        [:], ["interim_token": "x"], ["interim_token": "x", "otp": "1", "recovery_code": "2"], ["otp": "123456"],
        ["interim_token": "x", "otp": String(repeating: "1", count: 65)],
        ["interim_token": String(repeating: "x", count: 4097), "otp": "123456"],
    ])
    func `a second step that says too little or too much is refused`(fields: [String: String]) async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let answer = try await person.send(.post, "/v1/auth/second-factor", fields)
            #expect(answer.status == 422 && answer.code == "invalid_fields")
            let more = try await person.send(
                .post,
                "/v1/auth/second-factor",
                fields.merging(["code": "1"]) { $1 }
            )
            #expect(more.status == 400 && more.code == "unknown_fields")
        }
    }
}
