import Bytes
import Testing

@testable import Crypto

struct PasswordHashTests {
    private let cheap = Argon2Parameters(memoryKiB: 64, iterations: 1, lanes: 1)
    private let salt = [UInt8](repeating: 2, count: 16)

    @Test func `item 28: the known answer of RFC 9106`() throws {
        let tag = try Argon2.tag(
            password: [UInt8](repeating: 1, count: 32),
            salt: [UInt8](repeating: 2, count: 16),
            secret: [UInt8](repeating: 3, count: 8),
            associated: [UInt8](repeating: 4, count: 12),
            Argon2Parameters(memoryKiB: 32, iterations: 3, lanes: 4),
            length: 32
        )
        #expect(Hex.encode(tag) == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")
    }

    @Test func `the string is PHC with the parameters that were chosen`() throws {
        let phc = try PasswordHash.make(password: [1], salt: salt, cheap)
        #expect(phc.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$AgICAgICAgICAgICAgICAg$"))
        #expect(Argon2Parameters.standard == Argon2Parameters(memoryKiB: 65_536, iterations: 3, lanes: 4))
        #expect(Argon2Parameters.standard.isWithinLimits)
    }

    @Test func `the right password verifies and others do not`() throws {
        let password = [UInt8]("correct horse".utf8)
        let phc = try PasswordHash.make(password: password, salt: salt, cheap)
        #expect(try PasswordHash.verify(password: password, phc: phc))
        #expect(try !PasswordHash.verify(password: password + [0], phc: phc))
        #expect(try !PasswordHash.verify(password: [], phc: phc))
    }

    @Test func `item 25: nothing is cut: neither after 72 bytes nor at a zero byte`() throws {
        let long = [UInt8](repeating: 0x61, count: 72)
        let phc = try PasswordHash.make(password: long + [0x62], salt: salt, cheap)
        #expect(try PasswordHash.verify(password: long + [0x62], phc: phc))
        #expect(try !PasswordHash.verify(password: long + [0x63], phc: phc))
        let zero = try PasswordHash.make(password: [1, 0, 2], salt: salt, cheap)
        #expect(try PasswordHash.verify(password: [1, 0, 2], phc: zero))
        #expect(try !PasswordHash.verify(password: [1, 0, 3], phc: zero))
    }

    @Test(arguments: [
        "m=262145,t=1,p=1", "m=64,t=11,p=1", "m=1024,t=1,p=17", "m=64,t=0,p=1", "m=64,t=1,p=0", "m=7,t=1,p=1",
        "m=4294967296,t=1,p=1", "m=-64,t=1,p=1",
    ])
    func `a stored string outside the limits is refused before it costs anything`(costs: String) {
        let phc = "$argon2id$v=19$\(costs)$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg"
        let error = #expect(throws: CryptoError.self) { try PasswordHash.verify(password: [1], phc: phc) }
        #expect(error?.reason == .invalidParameters)
        #expect(PasswordHash.needsRehash(phc, cheap))
    }

    @Test(arguments: [
        "", "$", "plain", "$argon2i$v=19$m=64,t=1,p=1$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg",
        "$argon2id$v=16$m=64,t=1,p=1$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg",
        "$argon2id$m=64,t=1,p=1$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg",
        "$argon2id$v=19$m=64,t=1$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg",
        "$argon2id$v=19$t=1,m=64,p=1$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg",
        "$argon2id$v=19$m=+64,t=1,p=1$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg",
        "$argon2id$v=19$m=064,t=1,p=1$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg",
        "$argon2id$v=19$m=64,t=1,p=1$AgICAgICAgICAgICAgICAg==$AgICAgICAgICAgICAgICAg",
        "$argon2id$v=19$m=64,t=1,p=1$AgIC$AgICAgICAgICAgICAgICAg",
        "$argon2id$v=19$m=64,t=1,p=1$AgICAgICAgICAgICAgICAg$AgIC",
        "$argon2id$v=19$m=64,t=1,p=1$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg$",
        "$argon2id$v=19$m=64,t=1,p=1$AgICAgICAgICAgICAgICAg$AgICAgICAgICAgICAgICAg\n",
    ])
    func `a malformed stored string is refused`(phc: String) {
        let error = #expect(throws: CryptoError.self) { try PasswordHash.verify(password: [1], phc: phc) }
        #expect(error?.reason == .malformedHash)
    }

    @Test func `other parameters ask for a new hash`() throws {
        let phc = try PasswordHash.make(password: [1], salt: salt, cheap)
        #expect(!PasswordHash.needsRehash(phc, cheap))
        #expect(PasswordHash.needsRehash(phc, .standard))
    }

    @Test func `an unmatchable hash is read like any other and matches nothing`() throws {
        let phc = PasswordHash.unmatchable(cheap)
        #expect(!PasswordHash.needsRehash(phc, cheap))
        #expect(try !PasswordHash.verify(password: [], phc: phc))
        #expect(PasswordHash.unmatchable(cheap) != phc)
    }

    @Test func `a short salt and parameters outside the limits are refused at making`() {
        #expect(throws: CryptoError(stage: "password hash", reason: .invalidSalt)) {
            try PasswordHash.make(password: [1], salt: [1, 2, 3], cheap)
        }
        #expect(throws: CryptoError(stage: "argon2id", reason: .invalidParameters)) {
            try PasswordHash.make(
                password: [1],
                salt: salt,
                Argon2Parameters(memoryKiB: 1 << 30, iterations: 1, lanes: 1)
            )
        }
    }
}
