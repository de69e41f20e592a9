import Bytes
import Core
import HTTP
import Testing

@testable import API

/// Spellings of a mail address: capitals are the same address, look-alikes are none.
@Suite(.timeLimit(.minutes(5))) struct AddressVariantTests {
    private static func login(
        _ email: String,
        _ password: String = APIWorld.password,
        address: String = "192.0.2.1",
        in world: APIWorld
    ) async throws -> APIAnswer {
        let form = JSONObject([("email", .string(email)), ("password", .string(password))])
        return try await world.send(.post, "/v1/auth/login", .object(form), address: address)
    }

    /// The same address with capitals.
    private static func capitals(of email: String) -> [String] {
        [email.uppercased(), email.prefix(1).uppercased() + email.dropFirst(), email.replacing("o", with: "O")]
    }

    /// Spellings that a person might take for another's address, and that no mail server does.
    private static func lookAlikes(of email: String) -> [String] {
        let name = email.split(separator: "@")[0]
        return [
            // Cyrillic, Greek, full width, a long s, other dots, accents, and what is not seen.
            email.replacing("p", with: "р"), email.replacing("o", with: "ο"), email.replacing("e", with: "ｅ"),
            email.replacing("s", with: "ſ"), email.replacing("@", with: "＠"), email.replacing(".", with: "。"),
            email.replacing(".", with: "．"), email.replacing("e", with: "e\u{301}"), email + "\u{200b}",
            "\u{feff}" + email,
            email.replacing("n", with: "n\u{ad}"), "\u{202e}" + email, " " + email, email + " ", email + ".",
            "\(name)@example..org", "\(name)@-example.org", "<\(email)>", "\"\(name)\"@example.org",
            "\(email),\(email)",
            "\(name)@\(email)",
        ]
    }

    @Test func `capitals sign in to the same account, and a look-alike gets what a wrong password gets`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let email = person.user.email
            for (number, spelling) in ([email] + Self.capitals(of: email)).enumerated() {
                let answer = try await Self.login(spelling, address: "192.0.2.\(number)", in: world)
                #expect(answer.status == 200, "\(spelling)")
                let token = try #require(answer.json["access_token"]?.string)
                let me = try await world.send(.get, "/v1/me", token: token)
                #expect(me.json["email"]?.string == email && me.json["id"]?.string == person.user.id.description)
            }
            let wrong = try await Self.login(email, "wrong horse battery", address: "198.51.100.250", in: world)
            for (number, spelling) in Self.lookAlikes(of: email).enumerated() {
                let answer = try await Self.login(spelling, address: "198.51.100.\(number)", in: world)
                #expect(answer.status == 401 && answer.code == "wrong_credentials", "\(spelling): \(answer.text)")
                #expect(answer.anonymous == wrong.anonymous, "\(spelling)")
            }
        }
    }

    @Test func `failures of one address in any capitals are counted together`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let email = person.user.email
            let wrong = "wrong horse battery"
            for spelling in [email] + Self.capitals(of: email) + [email] {
                #expect(try await Self.login(spelling, wrong, in: world).code == "wrong_credentials")
            }
            let refused = try await Self.login(email.uppercased(), in: world)
            #expect(refused.status == 429 && refused.code == "sign_in_throttled")
            let other = try await world.person()
            #expect(try await Self.login(other.user.email, in: world).status == 200)
        }
    }

    @Test func `an invitation takes a person's address in any capitals, and no look-alike`() async throws {
        try await withAPI { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            let token = try await world.device(of: owner).token
            let path = "/v1/teams/\(owner.team.id)/invites"
            func invite(_ email: String) async throws -> APIAnswer {
                try await world.send(.post, path, .object(JSONObject([("email", .string(email))])), token: token)
            }
            for spelling in Self.lookAlikes(of: guest.user.email) {
                let answer = try await invite(spelling)
                #expect(answer.status == 422 && answer.code == "invalid_fields", "\(spelling): \(answer.text)")
                #expect(answer.json["errors"]?.array?.first?["pointer"]?.string == "/email")
            }
            let made = try await invite(guest.user.email.uppercased())
            #expect(made.status == 201 && made.json["email"]?.string == guest.user.email)
            let secret = JSONValue.object(JSONObject([("token", made.json["token"] ?? .null)]))
            let other = try await world.device(of: try await world.person()).token
            let refused = try await world.send(.post, "/v1/invites/accept", secret, token: other)
            #expect(refused.status == 404 && refused.code == "invite_not_found")
            let theirs = try await world.device(of: guest).token
            #expect(try await world.send(.post, "/v1/invites/accept", secret, token: theirs).status == 200)
        }
    }
}
