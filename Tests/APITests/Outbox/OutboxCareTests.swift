import Auth
import Bytes
import Core
import HTTP
import Platform
import Store
import Testing

@testable import API

/// The sending of letters over a real database, with the time and the receivers in the test's hand.
@Suite struct OutboxCareTests {
    /// A mail server that answers as it is told.
    private final class ScriptedCarrier: LetterCarrier {
        var answers: [Carriage] = []
        private(set) var taken: [OutgoingLetter] = []
        var onCarry: () async -> Void = {}

        func carry(_ letter: OutgoingLetter) async -> Carriage {
            taken.append(letter)
            await onCarry()
            return answers.isEmpty ? .taken("250 ok") : answers.removeFirst()
        }

        /// The last letter's text, soft line breaks joined.
        var text: String {
            String(decoding: taken.last?.bytes ?? [], as: UTF8.self).replacing("=\r\n", with: "").replacing(
                "=3D",
                with: "="
            )
        }
    }

    private static func care(
        _ world: APIWorld,
        _ carrier: ScriptedCarrier,
        onFault: @escaping (String) -> Void = { _ in }
    ) throws -> OutboxCare {
        var ways = OutboxWays(publicURL: APIWorld.publicURL)
        ways.mail = (carrier, try #require(MailSender("Errand <errand@mail.example>")))
        return OutboxCare(
            outbox: world.store.outbox,
            accounts: world.store.accounts,
            passwords: world.store.passwords,
            vault: SecretVault(keys: world.masterKeys, store: world.store.secrets),
            ways: ways,
            time: world.time,
            loop: world.loop,
            jitter: { 1 },
            onFault: onFault
        )
    }

    private static func withMail(
        _ body: @escaping @Sendable (APIWorld, ScriptedCarrier) async throws -> Void
    ) async throws {
        try await withAPI(replicas: 0) { world in
            world.channels = [.mail]
            world.addReplica()
            let ring = world.masterKeys.ring
            _ = try await world.store.secrets.register(ring.current.id, of: ring.keys.map(\.id))
            try await world.store.outbox.setChannels([.mail])
            try await body(world, ScriptedCarrier())
        }
    }

    private static func test(_ world: APIWorld) async throws -> LetterID {
        let id = LetterID(at: world.time.now)
        try #require(try await world.store.outbox.putTest(id, .mail, to: "a@example.org", now: world.time.now))
        return id
    }

    @Test func `an invitation is mailed with the link that its maker was shown, and no row holds it`() async throws {
        try await Self.withMail { world, carrier in
            let owner = try await world.person()
            let made = try await world.send(
                .post,
                "/v1/teams/\(owner.team.id)/invites",
                .form(["email": "guest@example.org"]),
                token: try await world.device(of: owner).token
            )
            let (link, token) = (made.json["url"]?.string ?? "", made.json["token"]?.string ?? "")
            #expect(made.status == 201 && made.json["queued"]?.array == [.string("mail")] && !token.isEmpty)
            let care = try Self.care(world, carrier)
            carrier.answers = [.taken("250 2.0.0 queued, was \(token)")]
            #expect(try await care.sweep() == 1)
            #expect(carrier.taken.map(\.recipient) == ["guest@example.org"] && carrier.text.contains(link))
            let letter = try #require(try await world.store.outbox.letters(nil, limit: 9).first)
            #expect(letter.state == .sent && letter.receipt == "250 2.0.0 queued, was ***")
            #expect(try await world.store.secrets.masterKeys().allSatisfy { $0.secrets == 0 })
            #expect(try await care.sweep() == 0)
        }
    }

    @Test func `an invitation without an address, or without mail, is not sent`() async throws {
        try await Self.withMail { world, _ in
            let owner = try await world.person()
            let token = try await world.device(of: owner).token
            let path = "/v1/teams/\(owner.team.id)/invites"
            let open = try await world.send(.post, path, .form([:]), token: token)
            #expect(open.status == 201 && open.json["queued"]?.array == [])
            world.channels = []
            let silent = world.addReplica()
            let bound = try await world.send(
                .post,
                path,
                .form(["email": "guest@example.org"]),
                token: token,
                replica: silent
            )
            #expect(bound.status == 201 && bound.json["queued"]?.array == [])
            #expect(try await world.store.outbox.letters(nil, limit: 9).isEmpty)
        }
    }

    @Test func `a team that mails too many invitations is told so with 429, and nothing is made`() async throws {
        try await Self.withMail { world, _ in
            let owner = try await world.person()
            let token = try await world.device(of: owner).token
            let path = "/v1/teams/\(owner.team.id)/invites"
            for number in 1...6 {
                let answer = try await world.send(.post, path, .form(["email": "guest@example.org"]), token: token)
                #expect(answer.status == (number < 6 ? 201 : 429))
                if number == 6 {
                    #expect(answer.code == "invite_mail_limit" && answer.headers["retry-after"] != nil)
                }
            }
            let listed = try await world.send(.get, path, token: token)
            #expect(listed.json["items"]?.array?.count == 5)
        }
    }

    @Test func `what fails for now is tried after 30 s, a minute, two, and so on up to six hours and three days`()
        async throws
    {
        try await Self.withMail { world, carrier in
            let id = try await Self.test(world)
            let begun = world.time.now
            var faults: [String] = []
            let care = try Self.care(world, carrier) { faults.append($0) }
            carrier.answers = Array(repeating: .failed("451 try later"), count: 100)
            var waits: [Int64] = []
            while true {
                #expect(try await care.sweep() == 1)
                let letter = try #require(try await world.store.outbox.letter(id))
                guard letter.state == .waiting else { break }
                waits.append((letter.nextAt - world.time.now).components.seconds)
                #expect(try await care.sweep() == 0)
                world.time.now = letter.nextAt
            }
            #expect(waits.prefix(5) == [30, 60, 120, 240, 480] && waits.max() == 21_600)
            let letter = try #require(try await world.store.outbox.letter(id))
            #expect(letter.state == .failed && letter.lastError == "451 try later" && faults.count == 1)
            #expect((world.time.now - begun) < OutboxLimits.patience && waits.reduce(0, +) > 2 * 86_400)
        }
    }

    @Test func `what is refused for good is given up at once, and what is taken later is sent once`() async throws {
        try await Self.withMail { world, carrier in
            let care = try Self.care(world, carrier)
            let refused = try await Self.test(world)
            carrier.answers = [.refused("550 no such user")]
            #expect(try await care.sweep() == 1)
            let letter = try #require(try await world.store.outbox.letter(refused))
            #expect(letter.state == .failed && letter.lastError == "550 no such user" && letter.attempts == 1)
            let busy = try await Self.test(world)
            carrier.answers = [.failed("421 busy")]
            #expect(try await care.sweep() == 1)
            world.time.now = world.time.now.adding(seconds: 30)
            #expect(try await care.sweep() == 1)
            let sent = try #require(try await world.store.outbox.letter(busy))
            #expect(sent.state == .sent && sent.attempts == 2 && sent.receipt == "250 ok")
            // The same mail under the same name, so that the receiver can drop a repeat.
            #expect(carrier.taken.suffix(2).first == carrier.taken.last)
        }
    }

    @Test
    func `a server that ends between the mail and the note of it leaves the letter to the next, under the same name`()
        async throws
    {
        try await Self.withMail { world, carrier in
            let id = try await Self.test(world)
            let outbox = world.store.outbox
            // It claimed, the mail server took it, and it ended.
            let lost = try await outbox.claim([.mail], now: world.time.now, lease: OutboxCare.lease, limit: 4)
            #expect(lost.map(\.id) == [id])
            let care = try Self.care(world, carrier)
            #expect(try await care.sweep() == 0)
            world.time.now = world.time.now.adding(OutboxCare.lease)
            #expect(try await care.sweep() == 1)
            #expect(carrier.text.contains("Message-ID: <\(id)@mail.example>"))
            #expect(try await outbox.letter(id)?.state == .sent)
            #expect(try await !outbox.settle(lost[0], .failed(error: "late"), now: world.time.now))
        }
    }

    @Test func `of two replicas one sends a letter`() async throws {
        try await Self.withMail { world, carrier in
            let (one, other) = (try Self.care(world, carrier), try Self.care(world, carrier))
            for _ in 0..<4 { _ = try await Self.test(world) }
            var second = 0
            carrier.onCarry = { second += (try? await other.sweep()) ?? 0 }
            #expect(try await one.sweep() == 4)
            #expect(second == 0 && carrier.taken.count == 4)
        }
    }

    @Test func `a new device and a changed password are mailed to their person`() async throws {
        try await Self.withMail { world, carrier in
            let person = try await world.person()
            _ = try await world.signIn(person, address: "192.0.2.1", userAgent: "errand-cli/1")
            let care = try Self.care(world, carrier)
            #expect(try await care.sweep() == 0)
            _ = try await world.signIn(person, device: "a phone", address: "203.0.113.9", userAgent: "Mozilla/5.0")
            #expect(try await care.sweep() == 1)
            #expect(carrier.taken.last?.recipient == person.user.email)
            for part in ["203.0.113.9", "\"a phone\"", "not seen before"] {
                #expect(carrier.text.contains(part), "\(part)")
            }
        }
    }

    @Test func `item 31: who forgot gets a link that works, and who has no account gets the same answer and nothing`()
        async throws
    {
        try await Self.withMail { world, carrier in
            let (person, gone) = (try await world.person(), try await world.person())
            #expect(try await world.disable(gone))
            let care = try Self.care(world, carrier)
            func ask(_ email: String) async throws -> APIAnswer {
                try await world.send(.post, "/v1/auth/forgot", .form(["email": email]))
            }
            let known = try await ask(person.user.email.uppercased())
            for other in ["nobody@example.org", gone.user.email, "no address"] {
                let answer = try await ask(other)
                #expect(answer.status == 202 && answer.text == known.text)
            }
            #expect(known.status == 202)
            // The same is written for each address: whose it is, is asked when nobody waits.
            #expect(try await world.store.outbox.letters(nil, limit: 9).count == 3)
            while try await care.sweep() > 0 {}
            #expect(carrier.taken.map(\.recipient) == [person.user.email])
            #expect(try await world.store.outbox.letters(nil, limit: 9).map(\.recipient) == [person.user.email])
            let mark = try #require(carrier.text.firstRange(of: "/reset?token="))
            let token = String(carrier.text[mark.upperBound...].prefix { !$0.isWhitespace })
            let new = "twelve tall ships at anchor"
            let used = try await world.send(.post, "/v1/auth/reset", .form(["token": token, "new_password": new]))
            #expect(used.status == 204)
            _ = try await world.signIn(person, password: new)
            // The fourth in an hour is not sent, and its answer is the same.
            for _ in 0..<3 { #expect(try await ask(person.user.email).text == known.text) }
            let waiting = try await world.store.outbox.letters(.waiting, limit: 9)
            #expect(waiting.count { $0.kind == .passwordReset } == 2)
        }
    }

    @Test func `a note is one short line without the token`() {
        let long = OutboxCare.note("250 " + String(repeating: "ä", count: 300), hiding: nil)
        #expect(long.utf8.count <= 200 && long.hasPrefix("250 ä"))
        #expect(OutboxCare.note("a\r\nb einv_x", hiding: "einv_x") == "a  b ***")
    }
}
