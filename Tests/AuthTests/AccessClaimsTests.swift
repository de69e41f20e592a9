import Auth
import Bytes
import Core
import Testing

struct AccessClaimsTests {
    private let fixture: TokenFixture

    init() throws { fixture = try TokenFixture() }

    private func refusal(_ name: String, _ value: JSONValue?, at instant: Timestamp? = nil) throws -> TokenError? {
        fixture.refusal(of: try fixture.signed(payload: fixture.payload(name, value)), at: instant)
    }

    @Test(arguments: ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "scope", "client_id"])
    func `a required claim that is missing or of another type is refused`(name: String) throws {
        #expect(try refusal("extra", .string("ignored")) == nil)
        #expect(try refusal(name, nil) == .badClaim(name))
        for wrong in [JSONValue.null, .bool(true), .object(JSONObject()), .string(""), .array([])] {
            #expect(try refusal(name, wrong) == .badClaim(name))
        }
        let isTime = name == "iat" || name == "exp"
        let swapped: JSONValue = isTime ? .string("1767323045") : .integer(1)
        #expect(try refusal(name, swapped) == .badClaim(name))
    }

    @Test(arguments: [
        JSONValue.number(1_767_323_045.5), .number(1.7e9), .integer(-1), .integer(.max), .integer(253_402_300_800),
        .string("soon"),
    ])
    func `a time that is no whole second of ours is refused`(value: JSONValue) throws {
        for name in ["iat", "exp", "nbf"] { #expect(try refusal(name, value) == .badClaim(name)) }
    }

    @Test func `the end is exact, without leeway`() throws {
        let token = try fixture.signed()
        let end = Timestamp(milliseconds: (fixture.seconds + 900) * 1000)
        #expect(fixture.refusal(of: token, at: end.adding(.milliseconds(-1))) == nil)
        #expect(fixture.refusal(of: token, at: end) == .expired)
        #expect(fixture.refusal(of: token, at: end.adding(seconds: 1)) == .expired)
    }

    @Test(arguments: ["iat", "nbf"])
    func `the future is believed for thirty seconds`(name: String) throws {
        let whole = Timestamp(milliseconds: fixture.seconds * 1000)
        #expect(try refusal(name, .integer(fixture.seconds + 30), at: whole) == nil)
        #expect(try refusal(name, .integer(fixture.seconds + 31), at: whole) == .notYetValid)
        #expect(try refusal(name, .integer(fixture.seconds + 29), at: whole) == nil)
    }

    @Test func `a life longer than we give, or none at all, is refused`() throws {
        #expect(try refusal("exp", .integer(fixture.seconds + 3600)) == nil)
        #expect(try refusal("exp", .integer(fixture.seconds + 3601)) == .badClaim("exp"))
        #expect(try refusal("iat", .integer(fixture.seconds + 901)) == .badClaim("exp"))
        #expect(try refusal("iat", .integer(fixture.seconds + 900)) == .badClaim("exp"))
        #expect(try refusal("iat", .integer(0)) == .badClaim("exp"))
    }

    @Test(arguments: ["https://evil.test", "https://errand.test/", "HTTPS://ERRAND.TEST", "errand.test"])
    func `another issuer or audience is refused`(name: String) throws {
        #expect(try refusal("iss", .string(name)) == .wrongIssuer)
        #expect(try refusal("aud", .string(name)) == .wrongAudience)
        #expect(try refusal("aud", .array([.string(name)])) == .wrongAudience)
    }

    @Test func `an audience may be a list that holds ours, and nothing but names`() throws {
        let ours = JSONValue.string(TokenFixture.issuer)
        #expect(try refusal("aud", .array([.string("https://other.test"), ours])) == nil)
        #expect(try refusal("aud", .array([ours, .integer(1)])) == .badClaim("aud"))
        #expect(try refusal("aud", .array(Array(repeating: ours, count: 17))) == .badClaim("aud"))
    }

    @Test(arguments: [
        "usr_", "1", "team_00000000000000000000000001", "usr_0000000000000000000000000I",
        "usr_00000000000000000000000001 ",
    ])
    func `a subject that is no user is refused`(subject: String) throws {
        #expect(try refusal("sub", .string(subject)) == .badClaim("sub"))
        #expect(try refusal("sid", .string(subject)) == .badClaim("sid"))
        #expect(try refusal("sub", .string("usr_00000000000000000000000001")) == nil)
    }

    @Test func `scopes are separated by single spaces`() throws {
        #expect(try refusal("scope", .string("jobs:run jobs:read")) == nil)
        for wrong in [" a", "a ", "a  b"] { #expect(try refusal("scope", .string(wrong)) == .badClaim("scope")) }
    }
}
