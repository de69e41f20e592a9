import Auth
import Bytes
import Testing

/// Checklist items 33 to 35.
struct TOTPTests {
    private static let digits = [UInt8]("1234567890".utf8)

    private static func key(_ length: Int) -> [UInt8] { (0..<length).map { digits[$0 % 10] } }

    private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    @Test(arguments: [
        (Int64(59), "94287082", "46119246", "90693936"), (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"), (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"), (20_000_000_000, "65353130", "77737706", "47863826"),
    ])
    func `item 33: the codes of RFC 6238 appendix B, and their last six digits`(
        seconds: Int64,
        sha1: String,
        sha256: String,
        sha512: String
    ) {
        let step = TOTP.step(at: time(seconds))
        #expect(TOTP(hash: .sha1, digits: 8).code(Self.key(20), step: step) == sha1)
        #expect(TOTP(hash: .sha256, digits: 8).code(Self.key(32), step: step) == sha256)
        #expect(TOTP(hash: .sha512, digits: 8).code(Self.key(64), step: step) == sha512)
        #expect(TOTP.standard.code(Self.key(20), step: step) == String(sha1.suffix(6)))
    }

    @Test func `item 35: a code is taken one step early and one step late, to the millisecond, and no further`() {
        let secret = Self.key(20)
        let step: Int64 = 50_000_000
        let code = TOTP.standard.code(secret, step: step)
        let first = Timestamp(milliseconds: (step - 1) * 30_000)
        let last = Timestamp(milliseconds: (step + 2) * 30_000 - 1)
        for instant in [first, Timestamp(milliseconds: step * 30_000), last] {
            #expect(TOTP.standard.judge(code, secret: secret, at: instant, after: nil) == .accepted(step: step))
        }
        for instant in [
            Timestamp(milliseconds: first.milliseconds - 1), Timestamp(milliseconds: last.milliseconds + 1),
        ] {
            #expect(TOTP.standard.judge(code, secret: secret, at: instant, after: nil) == .wrong)
        }
    }

    @Test func `item 34: a code of the last used step or of an earlier one is known as used`() {
        let secret = Self.key(20)
        let now = time(1_500_000_000)
        let step = TOTP.step(at: now)
        let judge = { (offset: Int64, last: Int64?) in
            TOTP.standard.judge(TOTP.standard.code(secret, step: step + offset), secret: secret, at: now, after: last)
        }
        #expect(judge(0, step - 1) == .accepted(step: step))
        #expect(judge(0, step) == .reused)
        #expect(judge(-1, step) == .reused)
        #expect(judge(1, step) == .accepted(step: step + 1))
        #expect(judge(0, step + 1) == .reused)
        #expect(judge(2, step) == .wrong)
    }

    @Test(arguments: ["", "1", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "000000000000000000000000000000"])
    func `what is no code is wrong`(typed: String) {
        #expect(TOTP.standard.judge(typed, secret: Self.key(20), at: time(59), after: nil) == .wrong)
        #expect(TOTP.standard.judge("287 082", secret: Self.key(20), at: time(59), after: nil) == .accepted(step: 1))
    }

    @Test func `steps before the epoch go on downwards`() {
        #expect(TOTP.step(at: Timestamp(milliseconds: -1)) == -1)
        #expect(TOTP.step(at: Timestamp(milliseconds: -30_001)) == -2)
        #expect(TOTP.step(at: time(29)) == 0)
        #expect(TOTP.step(at: time(30)) == 1)
    }

    @Test func `item 60: a secret has 160 random bits, and no description shows it`() throws {
        let secrets = (0..<100).map { _ in TOTPSecret.make() }
        #expect(Set(secrets.map(\.base32)).count == 100)
        for secret in secrets {
            #expect(secret.bytes.count == 20 && secret.base32.utf8.count == 32)
            #expect("\(secret)" == "****" && String(reflecting: secret) == "****")
            #expect(try #require(TOTPSecret(secret.bytes)).base32 == secret.base32)
        }
        #expect(TOTPSecret(Self.key(19)) == nil)
        #expect(TOTPSecret(Self.key(21)) == nil)
    }

    @Test func `the URI to scan names issuer, account and all parameters`() throws {
        let secret = try #require(TOTPSecret(Self.key(20)))
        #expect(
            secret.uri(account: "a+b@example.org", issuer: "Errand errand.test")
                == "otpauth://totp/Errand%20errand.test:a%2Bb%40example.org"
                + "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Errand%20errand.test"
                + "&algorithm=SHA1&digits=6&period=30"
        )
    }
}
