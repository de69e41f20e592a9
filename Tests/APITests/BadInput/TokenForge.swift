import Auth
import Bytes
import Core
import Crypto
import Testing

/// Access tokens made by hand: true ones, and those that a stranger or a mistake makes.
struct TokenForge {
    /// A token with what it is called and the code that it is refused with.
    struct Case {
        let name: String
        let token: String
        var code = "unauthenticated"
    }

    let world: APIWorld
    let key: Ed25519PrivateKey
    private let identifier: String
    private let subject: String
    private let signIn: String
    let now: Int64

    init(_ world: APIWorld, _ person: APIPerson, _ signIn: SignInID) throws {
        self.world = world
        let kept = try JSONReader.parse(world.keys.document())
        let seed = kept["keys"]?.array?.last?["seed"]?.string.flatMap { Base64.decodeURL($0) }
        key = try Ed25519PrivateKey(seed: try #require(seed))
        identifier = world.keys.active.identifier
        subject = person.user.id.description
        self.signIn = signIn.description
        now = world.time.now.milliseconds / 1_000
    }

    /// A token with a true signature, over whatever a test puts in its header and payload; nil takes a member out.
    func token(
        header: [(String, JSONValue?)] = [],
        payload: [(String, JSONValue?)] = [],
        by stranger: Ed25519PrivateKey? = nil
    ) throws -> String {
        try token(self.header(header), self.payload(payload), by: stranger)
    }

    /// The same over bytes that need not be JSON.
    func token(_ header: [UInt8], _ payload: [UInt8], by stranger: Ed25519PrivateKey? = nil) throws -> String {
        let text = Base64.encodeURL(header) + "." + Base64.encodeURL(payload)
        return text + "." + Base64.encodeURL(try (stranger ?? key).sign([UInt8](text.utf8)))
    }

    func header(_ changes: [(String, JSONValue?)] = []) -> [UInt8] {
        Self.object([("alg", .string("EdDSA")), ("typ", .string("at+jwt")), ("kid", .string(identifier))], changes)
    }

    func payload(_ changes: [(String, JSONValue?)] = []) -> [UInt8] {
        let own = JSONValue.string(APIWorld.publicURL)
        return Self.object(
            [
                ("iss", own), ("aud", own), ("sub", .string(subject)), ("sid", .string(signIn)),
                ("jti", .string("token-1")), ("iat", .integer(now)), ("exp", .integer(now + 900)),
                ("scope", .string("all")), ("client_id", .string("errand")),
            ],
            changes
        )
    }

    private static func object(_ members: [(String, JSONValue)], _ changes: [(String, JSONValue?)]) -> [UInt8] {
        var members = members
        for (name, value) in changes {
            members.removeAll { $0.0 == name }
            if let value { members.append((name, value)) }
        }
        return JSONValue.object(JSONObject(members)).encoded()
    }
}

extension TokenForge {
    /// The ways in which a token is wrong.
    enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case forged, truncated, unsigned, otherKey, otherAudience, otherTime, otherType, otherHeader, huge, noText
        var testDescription: String { rawValue }
    }

    /// Tokens that hold, at the edge of what a kind of wrong ones goes beyond.
    func good(_ kind: Kind) throws -> [String] {
        switch kind {
        case .otherAudience:
            let list = JSONValue.array([.string("https://other.test"), .string(APIWorld.publicURL)])
            return [try token(), try token(payload: [("aud", list)])]
        case .otherTime:
            return [
                try token(), try token(payload: [("iat", .integer(now + 30))]),
                try token(payload: [("nbf", .integer(now + 30))]), try token(payload: [("exp", .integer(now + 3_600))]),
                try token(payload: [("iat", .integer(now - 899)), ("exp", .integer(now + 1))]),
            ]
        default: return [try token()]
        }
    }

    /// Tokens that must be refused.
    func bad(_ kind: Kind) throws -> [Case] {
        switch kind {
        case .forged: try forged()
        case .truncated: try truncated()
        case .unsigned: try unsigned()
        case .otherKey: try otherKeys()
        case .otherAudience: try otherAudiences()
        case .otherTime: try otherTimes()
        case .otherType: try otherTypes()
        case .otherHeader: try otherHeaders()
        case .huge: try huge()
        case .noText: try noTexts()
        }
    }

    /// A true signature under something else, and signatures that only look like one.
    private func forged() throws -> [Case] {
        let parts = try token().split(separator: ".").map(String.init)
        let signature = try #require(Base64.decodeURL(parts[2]))
        let other = Base64.encodeURL(payload([("sub", .string(UserID(at: world.time.now).description))]))
        func with(_ bytes: [UInt8]) -> String { parts[0] + "." + parts[1] + "." + Base64.encodeURL(bytes) }
        var flipped = signature
        flipped[0] ^= 1
        return [
            Case(name: "another person's payload", token: [parts[0], other, parts[2]].joined(separator: ".")),
            Case(name: "a flipped bit", token: with(flipped)),
            Case(name: "nought", token: with([UInt8](repeating: 0, count: 64))),
            Case(name: "the neutral element", token: with([1] + [UInt8](repeating: 0, count: 63))),
            Case(name: "a scalar beyond the order", token: with(Self.stretched(signature))),
            Case(name: "a byte more", token: with(signature + [0])),
            Case(name: "a byte less", token: with(Array(signature.dropLast()))),
            Case(name: "halves swapped", token: with(Array(signature[32...] + signature[..<32]))),
            Case(
                name: "a sign-in that never was",
                token: try token(payload: [("sid", .string(SignInID(at: world.time.now).description))])
            ),
            Case(name: "a sign-in of another noun", token: try token(payload: [("sid", .string(subject))])),
            Case(name: "no subject", token: try token(payload: [("sub", nil)])),
            Case(name: "no identifier", token: try token(payload: [("jti", nil)])),
            Case(name: "scopes apart by two spaces", token: try token(payload: [("scope", .string("all  all"))])),
        ]
    }

    /// The same signature with the group's order added to its scalar: the same number there, in a second spelling.
    private static func stretched(_ signature: [UInt8]) -> [UInt8] {
        let order: [UInt8] =
            [0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14]
            + [UInt8](repeating: 0, count: 15) + [0x10]
        var (result, carry) = (signature, 0)
        for index in 0..<32 {
            let sum = Int(signature[32 + index]) + Int(order[index]) + carry
            result[32 + index] = UInt8(truncatingIfNeeded: sum)
            carry = sum >> 8
        }
        return result
    }
}
