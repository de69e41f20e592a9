import Auth
import Bytes
import Core
import Crypto
import HTTP
import Platform
import Store
import Testing

@testable import API

/// Failed sign-ins, as clients meet them.
@Suite(.timeLimit(.minutes(5))) struct SignInLimitsTests {
    private static func form(_ email: String, _ password: String = "wrong horse battery staple") -> JSONValue {
        .object(JSONObject([("email", .string(email)), ("password", .string(password))]))
    }

    private static func login(
        _ world: APIWorld,
        _ email: String,
        _ password: String = "wrong horse battery staple",
        address: String,
        device: String? = nil
    ) async throws -> APIAnswer {
        try await world.send(
            .post,
            "/v1/auth/login",
            form(email, password),
            address: address,
            headers: device.map { [("errand-device", $0)] } ?? []
        )
    }

    @Test func `an account that is and one that is not get the same answers all the way`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            var told: [[String]] = []
            for (email, address) in [
                (person.user.email, "192.0.2.1"), ("nobody@example.org", "192.0.2.2"), ("no address", "192.0.2.3"),
            ] {
                var answers: [String] = []
                for _ in 0..<9 {
                    let answer = try await Self.login(world, email, address: address)
                    let fields = answer.headers.all.filter { $0.0 != "x-request-id" }.map { "\($0.0)=\($0.1)" }
                    let type = answer.json["type"]?.string ?? ""
                    answers.append("\(answer.status) \(answer.code ?? "") \(type) \(fields.sorted())")
                }
                told.append(answers)
            }
            #expect(told[0] == told[1] && told[1] == told[2])
            #expect(told[0][4].hasPrefix("401 wrong_credentials"))
            let abnormal = "https://iana.org/assignments/http-problem-types#abnormal-usage-detected"
            #expect(told[0][5].hasPrefix("429 sign_in_throttled \(abnormal)"))
            #expect(told[0][5].contains("retry-after=1"))
        }
    }

    @Test func `a try that has to wait costs no hash, and the right password waits as well`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            for _ in 0..<5 {
                #expect(try await Self.login(world, person.user.email, address: "192.0.2.1").status == 401)
            }
            let judged = world.checkedHashes.count
            #expect(judged == 5)
            for _ in 0..<5 {
                #expect(try await Self.login(world, person.user.email, address: "192.0.2.1").status == 429)
            }
            #expect(world.checkedHashes.count == judged)
            let right = APIWorld.password
            #expect(try await Self.login(world, person.user.email, right, address: "192.0.2.1").status == 429)
            world.time.advance(by: .seconds(1))
            #expect(try await Self.login(world, person.user.email, right, address: "192.0.2.1").status == 200)
            #expect(try await Self.login(world, person.user.email, address: "192.0.2.1").status == 401)
        }
    }

    @Test func `the right password from a known device always gets in, whatever strangers do at its address`()
        async throws
    {
        try await withAPI { world in
            let person = try await world.person()
            let known = try #require(try await world.signIn(person, address: "192.0.2.1").device)
            // They use up the address's tries, and the account's there.
            var last = 0
            for _ in 0..<40 { last = try await Self.login(world, person.user.email, address: "192.0.2.1").status }
            #expect(last == 429)
            let right = APIWorld.password
            #expect(try await Self.login(world, person.user.email, right, address: "192.0.2.1").status == 429)
            for _ in 0..<3 {
                let answer = try await Self.login(world, person.user.email, right, address: "192.0.2.1", device: known)
                #expect(answer.status == 200)
                #expect(answer.json["device_token"]?.string?.hasPrefix("erd_") == true)
            }
            // It opens nothing by itself, is nothing to another account, and has a back-off of its own.
            let other = try await world.person()
            #expect(
                try await Self.login(world, other.user.email, right, address: "192.0.2.1", device: known).status == 429
            )
            for _ in 0..<5 {
                #expect(
                    try await Self.login(world, person.user.email, address: "192.0.2.1", device: known).status == 401
                )
            }
            #expect(
                try await Self.login(world, person.user.email, right, address: "192.0.2.1", device: known).code
                    == "sign_in_throttled"
            )
            #expect(
                try await Self.login(world, person.user.email, right, address: "192.0.2.9", device: "erd_forged").status
                    == 200
            )
        }
    }

    @Test func `who guesses from a hundred addresses makes strangers wait, and not the owner's places and devices`()
        async throws
    {
        try await withAPI { world in
            let (person, other) = (try await world.person(), try await world.person())
            let known = try #require(try await world.signIn(person, address: "192.0.2.1").device)
            let account = Digest.sha256(Array("errand sign-in \(person.user.email)".utf8))
            for number in 1...100 {
                let attempt = SignInTry(
                    account: account,
                    place: AddressBlock("198.51.100.\(number)").bytes,
                    isKnownDevice: false,
                    begunAt: world.time.now
                )
                #expect(try await world.store.signInThrottle.begin(attempt) == .granted)
            }
            let right = APIWorld.password
            let refused = try await Self.login(world, person.user.email, right, address: "203.0.113.1")
            #expect(refused.status == 429 && refused.code == "sign_in_throttled")
            #expect(refused.headers["retry-after"] == "1")
            #expect(try await Self.login(world, person.user.email, right, address: "192.0.2.1").status == 200)
            let elsewhere = "203.0.113.2"
            #expect(
                try await Self.login(world, person.user.email, right, address: elsewhere, device: known).status == 200
            )
            #expect(try await Self.login(world, other.user.email, right, address: "203.0.113.1").status == 200)
            // Nor for ever: the wait ends, and the owner is in from a new place.
            world.time.advance(by: .seconds(1))
            #expect(try await Self.login(world, person.user.email, right, address: "203.0.113.1").status == 200)
        }
    }

    @Test func `who tries one password on many accounts waits, and other addresses do not`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            for number in 0..<20 {
                let attempt = SignInTry(
                    account: Digest.sha256([UInt8(number)]),
                    place: AddressBlock("192.0.2.1").bytes,
                    isKnownDevice: false,
                    begunAt: world.time.now
                )
                #expect(try await world.store.signInThrottle.begin(attempt) == .granted)
            }
            let refused = try await Self.login(world, person.user.email, APIWorld.password, address: "192.0.2.1")
            #expect(refused.status == 429 && refused.code == "sign_in_throttled")
            let free = try await Self.login(world, person.user.email, APIWorld.password, address: "192.0.2.2")
            #expect(free.status == 200)
        }
    }

    @Test func `each back-off is one entry in the audit log, without the address that was typed`() async throws {
        try await withAPI { world in
            for _ in 0..<19 { _ = try await Self.login(world, "secret@example.org", address: "192.0.2.1") }
            let kept = try await world.store.audit.stored(.installation, after: .start, limit: 1_000)
            let told = kept.filter {
                $0.personal.flatMap { AuditPersonalPart($0) }?.details.contains(AuditDetail("reason", "back_off"))
                    == true
            }
            let refusals = told.compactMap { (entry) -> AuditEntry? in AuditEntry(canonical: entry.canonical) }
            #expect(refusals.map(\.action) == ["sign_in.refused"])
            #expect(refusals.first?.outcome == .refused && refusals.first?.target == nil)
            let words = told.flatMap { $0.canonical + ($0.personal ?? []) }
            #expect(!String(decoding: words, as: UTF8.self).contains("secret@"))
        }
    }
}
