import Auth
import Bytes
import Core
import Crypto
import Testing

/// Checklist item 38: what leads from one step of a sign-in to the next is no access token and dies after five minutes.
struct StepTokenTests {
    private let fixture: TokenFixture
    private let user = UserID(high: 1, low: 2)

    init() throws {
        fixture = try TokenFixture()
    }

    private func refusal(_ token: String, _ kind: StepToken.Kind, at now: Timestamp? = nil) -> TokenError? {
        do throws(TokenError) {
            _ = try fixture.ring.verify(step: token, kind, now: now ?? fixture.now)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: StepToken.Kind.allCases)
    func `item 38: a step token is of its own kind only, and never an access token`(kind: StepToken.Kind) throws {
        let step = StepToken(
            kind,
            at: fixture.now,
            user: user,
            signIn: SignInID(high: 3, low: 4),
            proof: "password",
            passwordGeneration: 3,
            device: "telephone"
        )
        let token = try fixture.ring.sign(step)
        #expect(try fixture.ring.verify(step: token, kind, now: fixture.now) == step)
        for other in StepToken.Kind.allCases where other != kind { #expect(refusal(token, other) == .wrongType) }
        #expect(fixture.refusal(of: token) == .wrongType)
        #expect(refusal(try fixture.ring.sign(fixture.claims), kind) == .wrongType)
        let bare = StepToken(kind, at: fixture.now)
        #expect(try fixture.ring.verify(step: fixture.ring.sign(bare), kind, now: fixture.now) == bare)
    }

    @Test func `item 38: it dies after five minutes, to the second`() throws {
        let token = try fixture.ring.sign(StepToken(.secondFactor, at: fixture.now, user: user))
        let end = Timestamp(milliseconds: fixture.now.milliseconds / 1000 * 1000 + 300_000)
        #expect(refusal(token, .secondFactor, at: Timestamp(milliseconds: end.milliseconds - 1)) == nil)
        #expect(refusal(token, .secondFactor, at: end) == .expired)
        let early = fixture.now.adding(.seconds(-31))
        #expect(refusal(token, .secondFactor, at: early) == .notYetValid)
    }

    @Test func `another key's, another installation's and a changed token are refused`() throws {
        let token = try fixture.ring.sign(StepToken(.secondFactor, at: fixture.now, user: user))
        let stranger = KeyRing(
            try SigningKeySet(firstKeyAt: fixture.now),
            issuer: TokenFixture.issuer,
            audience: TokenFixture.issuer
        )
        #expect(refusal(try stranger.sign(StepToken(.secondFactor, at: fixture.now)), .secondFactor) == .unknownKey)
        #expect(refusal(token + "A", .secondFactor) != nil)
        #expect(refusal("", .secondFactor) == .malformed)
        for (name, value, reason) in [
            ("iss", JSONValue.string("https://other.test"), TokenError.wrongIssuer),
            ("aud", .string("https://other.test"), .wrongAudience), ("exp", .string("1"), .badClaim("exp")),
            ("exp", .integer(-1), .badClaim("exp")), ("exp", .integer(.max), .badClaim("exp")),
            ("jti", .integer(1), .badClaim("jti")), ("sub", .string("dev_x"), .badClaim("sub")),
            ("pwg", .string("1"), .badClaim("pwg")),
        ] {
            let header = fixture.goodHeader.replacing("at+jwt", with: StepToken.Kind.secondFactor.rawValue)
            var members = fixture.members.filter { $0.0 != name && $0.0 != "exp" } + [(name, value)]
            if name != "exp" { members.append(("exp", .integer(fixture.seconds + 60))) }
            let payload = JSONValue.object(JSONObject(members)).encoded()
            let forged = try fixture.signed(header: header, payload: payload)
            #expect(refusal(forged, .secondFactor) == reason, "\(name)")
        }
    }

    @Test func `what is kept of a spent challenge is a hash of it`() {
        #expect(StepToken.hash(of: "a").count == 32)
        #expect(StepToken.hash(of: "a") != StepToken.hash(of: "b"))
    }
}
