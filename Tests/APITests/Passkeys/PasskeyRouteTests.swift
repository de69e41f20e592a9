import Bytes
import Core
import Crypto
import HTTP
import Testing

/// Passkeys from the first request to the last.
@Suite struct PasskeyRouteTests {
    @Test func `a passkey is added with recovery codes, listed and taken away`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let authenticator = try SoftwareAuthenticator()
            let options = try await person.registrationOptions()
            #expect(options["rp"]?["id"]?.string == "errand.test")
            #expect(options["user"]?["id"]?.string == Base64.encodeURL(person.person.user.id.uuidBytes))
            #expect(options["attestation"]?.string == "none" && options["timeout"]?.integer == 300_000)
            let algorithms = options["pubKeyCredParams"]?.array?.compactMap { $0["alg"]?.integer }
            #expect(algorithms == [-7, -8, -257])
            let other = try await world.device(of: person.person)
            let answer = try await person.finish(authenticator.create(options), name: "laptop")
            #expect(answer.status == 201, "\(answer.text)")
            #expect(answer.json["recovery_codes"]?.array?.count == 10)
            #expect(try await person.send(.get, "/v1/me", token: other.token).status == 401)
            // They are listed by their time.
            world.time.advance(by: .milliseconds(1))
            let second = try await person.add(SoftwareAuthenticator())
            #expect(second.json["recovery_codes"]?.array?.isEmpty == true)
            let list = try await person.send(.get, "/v1/me/passkeys", token: person.token)
            let items = try #require(list.json["items"]?.array)
            #expect(items.map { $0["name"]?.string } == ["laptop", "passkey"])
            #expect(items.first?["transports"]?.array == [.string("internal")])
            #expect(items.first?["last_used_at"] == .null)
            let id = try #require(items.first?["id"]?.string)
            let excluded = try await person.registrationOptions()["excludeCredentials"]?.array ?? []
            #expect(excluded.contains { $0["id"]?.string == Base64.encodeURL(authenticator.id) })
            let stranger = try await FactorPerson(in: world, enrolled: false)
            let theirs = try await stranger.send(.delete, "/v1/me/passkeys/\(id)", token: stranger.token)
            #expect(theirs.status == 404 && theirs.code == "passkey_not_found")
            #expect(try await person.send(.delete, "/v1/me/passkeys/\(id)", token: person.token).status == 204)
            #expect(try await person.send(.delete, "/v1/me/passkeys/\(id)", token: person.token).status == 404)
            let actions = try await person.acts().map(\.action).filter { $0.hasPrefix("factor.") }
            #expect(actions == ["factor.enabled", "factor.enabled", "factor.disabled"])
        }
    }

    @Test func `a registration counts once, for its own person and device, within five minutes`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let stranger = try await FactorPerson(in: world, enrolled: false)
            let options = try await person.registrationOptions()
            let credential = try SoftwareAuthenticator().create(options)
            let theirs = try await stranger.finish(credential)
            #expect(theirs.status == 401 && theirs.code == "passkey_refused")
            let device = try await world.device(of: person.person)
            #expect(try await person.finish(credential, token: device.token).code == "passkey_refused")
            #expect(try await person.finish(credential).status == 201)
            #expect(try await person.finish(credential).code == "passkey_refused")
            #expect(try await person.finish(SoftwareAuthenticator().create(options)).code == "passkey_refused")
            let taken = try SoftwareAuthenticator()
            try await person.add(taken)
            let again = try await stranger.finish(taken.create(stranger.registrationOptions()))
            #expect(again.status == 409 && again.code == "passkey_taken")
            let late = try SoftwareAuthenticator().create(await person.registrationOptions())
            world.time.advance(by: .seconds(300))
            #expect(try await person.finish(late).code == "passkey_refused")
        }
    }

    @Test func `a registration on another page, for another host or with a foreign challenge is refused`() async throws
    {
        try await withAPI { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let changes: [(SoftwareAuthenticator) -> Void] = [
                { $0.origin = "https://evil.test" }, { $0.host = "evil.test" }, { $0.flags = 0x04 },
            ]
            for change in changes {
                let authenticator = try SoftwareAuthenticator()
                change(authenticator)
                let answer = try await person.finish(authenticator.create(person.registrationOptions()))
                #expect(answer.status == 401 && answer.code == "passkey_refused")
            }
            let authenticator = try SoftwareAuthenticator()
            let foreign = JSONValue.object(JSONObject([("challenge", .string(Base64.encodeURL([1, 2, 3])))]))
            #expect(try await person.finish(authenticator.create(foreign)).code == "passkey_refused")
            // The challenge of a proof is none of a registration.
            let proof = try await person.proofOptions()
            #expect(try await person.finish(authenticator.create(proof)).code == "passkey_refused")
            let garbage = try await person.finish(
                authenticator.create(person.registrationOptions(), attestation: [0xa0])
            )
            #expect(garbage.code == "passkey_refused")
            let me = try await person.send(.get, "/v1/me", token: person.token).json["second_factor"]
            #expect(me?["passkeys"]?.integer == 0)
        }
    }

    @Test func `a verified passkey signs in alone, and is the second step after a password`() async throws {
        try await withAPI(replicas: 2) { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let authenticator = try SoftwareAuthenticator()
            try await person.add(authenticator)
            let options = try await person.proofOptions()
            #expect(options["allowCredentials"]?.array?.isEmpty == true)
            #expect(options["userVerification"]?.string == "required")
            authenticator.userHandle = person.person.user.id.uuidBytes
            let credential = try authenticator.get(options)
            _ = try APITokens(await person.prove(credential))
            // The challenge counts once, on every replica.
            #expect(try await person.prove(credential, replica: 1).code == "passkey_refused")
            authenticator.flags = 0x01
            #expect(try await person.prove(authenticator.get(person.proofOptions())).code == "passkey_refused")
            let answer = try await person.login()
            #expect(answer.json["methods"]?.array == [.string("passkey"), .string("recovery_code")])
            #expect(try await person.login(["otp": "123456"]).code == "second_factor_required")
            let interim = try await person.interim()
            let second = try await person.proofOptions(interim: interim)
            let allowed = second["allowCredentials"]?.array?.first?["id"]?.string
            #expect(allowed == Base64.encodeURL(authenticator.id))
            _ = try APITokens(await person.prove(authenticator.get(second)))
            let proofs = try await person.acts().filter { $0.action == "sign_in.opened" }.compactMap { entry in
                entry.details.first { $0.name == "factor" }?.value
            }
            #expect(proofs.suffix(2) == ["passkey", "password+passkey"])
        }
    }

    @Test func `an assertion that is changed, replayed, of another or by a copy is refused and recorded`() async throws
    {
        try await withAPI { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let authenticator = try SoftwareAuthenticator()
            authenticator.signCount = 7
            try await person.add(authenticator)
            let changes: [(SoftwareAuthenticator) -> Void] = [
                { $0.origin = "https://evil.test" }, { $0.host = "evil.test" }, { $0.flags = 0x04 },
                { $0.userHandle = [1, 2, 3] }, { $0.signCount = 7 }, { $0.signCount = 6 }, { $0.signCount = 0 },
            ]
            for (number, change) in changes.enumerated() {
                (authenticator.origin, authenticator.host) = ("https://errand.test", "errand.test")
                (authenticator.flags, authenticator.userHandle, authenticator.signCount) = (0x05, nil, 8)
                change(authenticator)
                let answer = try await person.prove(authenticator.get(person.proofOptions()))
                #expect(answer.status == 401 && answer.code == "passkey_refused", "\(number)")
            }
            let refused = try await person.acts().filter { $0.action == "factor.refused" }
            #expect(refused.count == changes.count)
            #expect(refused.last?.details.contains(AuditDetail("method", "passkey")) == true)
            (authenticator.signCount, authenticator.userHandle) = (8, nil)
            let forger = try SoftwareAuthenticator(id: authenticator.id)
            forger.signCount = 9
            #expect(try await person.prove(forger.get(person.proofOptions())).code == "passkey_refused")
            #expect(
                try await person.prove(SoftwareAuthenticator().get(person.proofOptions())).code == "passkey_refused"
            )
            let wrongType = try await person.prove(authenticator.get(person.proofOptions(), type: "webauthn.create"))
            #expect(wrongType.code == "passkey_refused")
            _ = try APITokens(await person.prove(authenticator.get(person.proofOptions())))
            authenticator.signCount = 9
            let options = try await person.proofOptions()
            world.time.advance(by: .seconds(300))
            #expect(try await person.prove(authenticator.get(options)).code == "passkey_refused")
            #expect(try await world.disable(person.person))
            #expect(try await person.prove(authenticator.get(person.proofOptions())).code == "passkey_refused")
        }
    }

    @Test func `item 59: a passkey proves again who is there, for its own sign-in only`() async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let authenticator = try SoftwareAuthenticator()
            try await person.add(authenticator)
            let tokens = try APITokens(await person.prove(authenticator.get(person.proofOptions())))
            world.time.advance(by: .seconds(10 * 60))
            let refreshed = try APITokens(
                await person.send(.post, "/v1/auth/refresh", ["refresh_token": tokens.refresh])
            )
            let path = "/v1/me/recovery-codes"
            #expect(try await person.send(.post, path, token: refreshed.access).code == "reauthentication_required")
            let options = try await person.proofOptions(token: refreshed.access)
            let credential = try authenticator.get(options)
            let other = try await world.device(of: person.person)
            #expect(try await person.prove(credential, token: other.token).code == "passkey_refused")
            // A proof for a step-up is none for a sign-in.
            #expect(try await person.prove(credential).code == "passkey_refused")
            #expect(try await person.prove(credential, token: refreshed.access).status == 204)
            #expect(try await person.send(.post, path, token: refreshed.access).status == 201)
            #expect(try await person.prove(credential, token: refreshed.access).code == "passkey_refused")
        }
    }

    @Test(arguments: [
        #"{}"#, #"{"credential":1}"#, #"{"credential":{}}"#,
        #"{"credential":{"rawId":"AA","type":"public-key","response":{}}}"#,
        #"{"credential":{"rawId":"A A","type":"public-key","response":{"clientDataJSON":"AA","attestationObject":"AA","authenticatorData":"AA","signature":"AA"}}}"#,
        #"{"credential":{"rawId":"AA","type":"key","response":{"clientDataJSON":"AA","attestationObject":"AA","authenticatorData":"AA","signature":"AA"}}}"#,
        #"{"credential":{"rawId":"AA","type":"public-key","response":[]}}"#,
    ])
    func `a credential that is not of the standard's form is refused with the place`(text: String) async throws {
        try await withAPI { world in
            let person = try await FactorPerson(in: world, enrolled: false)
            let body = try JSONReader.parse([UInt8](text.utf8))
            for path in ["/v1/me/passkeys/finish", "/v1/auth/passkey/finish"] {
                let answer = try await world.send(.post, path, body, token: person.token)
                #expect(answer.status == 422 && answer.code == "invalid_fields", "\(path)")
                let pointers = (answer.json["errors"]?.array ?? []).compactMap { $0["pointer"]?.string }
                #expect(pointers.contains { $0.hasPrefix("/credential") }, "\(pointers)")
            }
        }
    }
}
