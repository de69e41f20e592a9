import Auth
import Bytes
import Core
import HTTP
import Platform
import Store
import Testing

/// Checklist items 24 and 59, and the ways into and out of a second factor.
@Suite struct TOTPEnrolmentTests {
    @Test func `an application is set up by its secret and a code of it`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let none = try await person.send(.post, "/v1/me/totp/confirm", ["code": "123456"], token: person.token)
            #expect(none.status == 409 && none.code == "totp_not_begun")
            let begun = try await person.send(.post, "/v1/me/totp", token: person.token)
            #expect(begun.status == 201)
            let secret = try #require(begun.json["secret"]?.string)
            let uri = try #require(begun.json["uri"]?.string)
            #expect(uri.hasPrefix("otpauth://totp/Errand%20errand.test:\(person.person.user.name)%40example.org?"))
            #expect(uri.contains("secret=\(secret)"))
            // Not a factor before a code has come back.
            _ = try APITokens(await person.login())
            let bytes = try #require(Base32.decode(secret))
            let code = TOTP.standard.code(bytes, step: TOTP.step(at: world.time.now))
            let wrong = try await person.send(.post, "/v1/me/totp/confirm", ["code": "x"], token: person.token)
            #expect(wrong.status == 401 && wrong.code == "wrong_code")
            world.time.advance(by: .seconds(15 * 60))
            try await person.signInAnew()
            let late = try await person.send(.post, "/v1/me/totp/confirm", ["code": code], token: person.token)
            #expect(late.status == 409 && late.code == "totp_not_begun")
            try await person.enrol()
            let again = try await person.send(.post, "/v1/me/totp", token: person.token)
            #expect(again.status == 409 && again.code == "totp_enabled")
            let me = try await person.send(.get, "/v1/me", token: person.token).json["second_factor"]
            #expect(me?["totp_since"]?.string != nil && me?["passkeys"]?.integer == 0)
            #expect(me?["recovery_codes_left"]?.integer == 10)
        }
    }

    @Test func `the secret stands sealed in the database`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            let place = TOTPFactor.place(of: person.person.user.id)
            guard
                case .open(let factor, _) = try await world.store.factors.attemptCode(
                    of: person.person.user.id,
                    now: world.time.now
                )
            else {
                Issue.record("no factor")
                return
            }
            #expect(factor.secret.place == place)
            #expect(factor.secret.sealed.count > 100)
            #expect(factor.secret.sealed.firstRange(of: person.secret) == nil)
        }
    }

    @Test func `item 24: setting up and taking away end the other sign-ins, and are recorded and told`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let other = try await world.device(of: person.person)
            #expect(try await person.send(.get, "/v1/me", token: other.token).status == 200)
            try await person.enrol()
            #expect(try await person.send(.get, "/v1/me", token: other.token).status == 401)
            #expect(try await person.send(.get, "/v1/me", token: person.token).status == 200)
            let second = try await world.device(of: person.person)
            #expect(try await person.send(.delete, "/v1/me/totp", token: person.token).status == 204)
            #expect(try await person.send(.get, "/v1/me", token: second.token).status == 401)
            #expect(try await person.send(.get, "/v1/me", token: person.token).status == 200)
            let gone = try await person.send(.delete, "/v1/me/totp", token: person.token)
            #expect(gone.status == 404 && gone.code == "totp_not_found")
            #expect(
                try await person.send(.post, "/v1/me/recovery-codes", token: person.token).code == "no_second_factor"
            )
            _ = try APITokens(await person.login())
            let actions = try await person.acts().map(\.action).filter { $0.hasPrefix("factor.") }
            #expect(actions == ["factor.enabled", "factor.disabled"])
            let notices = try await person.send(.get, "/v1/me/notices", token: person.token)
            let kinds = (notices.json["items"]?.array ?? []).compactMap { $0["kind"]?.string }
            #expect(kinds.contains("factor_enabled") && kinds.contains("factor_disabled"))
        }
    }

    @Test func `item 59: changes of factors need a proof of the last ten minutes`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            let signIn = try APITokens(
                await person.second(person.interim(), ["recovery_code": person.recoveryCodes[0]])
            )
            let routes: [(HTTPMethod, String, [String: String]?)] = [
                (.post, "/v1/me/totp", nil), (.post, "/v1/me/totp/confirm", ["code": "123456"]),
                (.delete, "/v1/me/totp", nil), (.post, "/v1/me/recovery-codes", nil),
                (.post, "/v1/me/passkeys/begin", nil),
                (.delete, "/v1/me/passkeys/\(PasskeyID(at: world.time.now))", nil),
            ]
            world.time.advance(by: .seconds(10 * 60))
            let refreshed = try APITokens(
                await person.send(.post, "/v1/auth/refresh", ["refresh_token": signIn.refresh])
            )
            for (method, path, body) in routes {
                let answer = try await person.send(method, path, body, token: refreshed.access)
                #expect(answer.status == 403 && answer.code == "reauthentication_required", "\(path)")
            }
            // The password is not enough to take away what the account demands beside it.
            for password in ["not the password", APIWorld.password] {
                let answer = try await person.send(
                    .post,
                    "/v1/auth/reauthenticate",
                    ["password": password],
                    token: refreshed.access
                )
                #expect(answer.status == 403 && answer.code == "code_required")
            }
            for body in [[:], ["password": "x", "otp": "1"]] {
                let answer = try await person.send(.post, "/v1/auth/reauthenticate", body, token: refreshed.access)
                #expect(answer.status == 422)
            }
            let proof = try await person.send(
                .post,
                "/v1/auth/reauthenticate",
                ["otp": person.code()],
                token: refreshed.access
            )
            #expect(proof.status == 204, "\(proof.text)")
            #expect(try await person.send(.post, "/v1/me/recovery-codes", token: refreshed.access).status == 201)
            let plain = try await FactorPerson(in: world, enrolled: false)
            let password = ["password": APIWorld.password]
            #expect(try await plain.send(.post, "/v1/auth/reauthenticate", password, token: plain.token).status == 204)
            let confirmed = try await person.acts().filter { $0.action == "sign_in.confirmed" }
            #expect(
                confirmed.map { $0.details.first } == [
                    AuditDetail("factor", "totp"), AuditDetail("factor", "password"),
                ]
            )
        }
    }

    @Test func `an administrator's reset lets the password alone in again`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world)
            let ended = try await world.store.factors.resetFactors(
                of: person.person.user.id,
                notice: Notice(.factorDisabled, at: world.time.now),
                audit: AuditDraft(
                    at: world.time.now,
                    team: nil,
                    actor: .administrator("root"),
                    action: "factor.disabled"
                )
            )
            #expect(ended?.count == 1)
            world.time.advance(by: .seconds(2))
            await world.loop.sleep(.seconds(1))
            #expect(try await person.send(.get, "/v1/me", token: person.token).status == 401)
            _ = try APITokens(await person.login())
        }
    }
}
