import Auth
import Bytes
import Core
import Testing

struct AccessTokenVerifierTests {
    private let fixture: TokenFixture
    private let verifier: AccessTokenVerifier

    init() throws {
        fixture = try TokenFixture()
        verifier = AccessTokenVerifier(fixture.ring)
    }

    private func token(_ number: Int) throws -> String {
        var claims = fixture.claims
        claims.tokenID = "token-\(number)"
        return try fixture.ring.sign(claims)
    }

    @Test func `a remembered token says the same and still ends on time`() throws {
        let token = try token(0)
        let first = try verifier.verify(token, now: fixture.now)
        #expect(try verifier.verify(token, now: fixture.now) == first)
        #expect(verifier.count == 1)
        let end = first.expiresAt
        #expect(throws: Never.self) { try verifier.verify(token, now: end.adding(.milliseconds(-1))) }
        #expect(throws: TokenError.expired) { try verifier.verify(token, now: end) }
        #expect(verifier.count == 0)
    }

    @Test func `a refused token is not remembered, nor does it touch a remembered one`() throws {
        let token = try token(0)
        _ = try verifier.verify(token, now: fixture.now)
        let altered = String(token.dropLast(2)) + "AA"
        #expect(throws: TokenError.self) { try verifier.verify(altered, now: fixture.now) }
        #expect(throws: TokenError.tooLong) {
            try verifier.verify(token + String(repeating: "a", count: 5000), now: fixture.now)
        }
        #expect(verifier.count == 1)
        #expect(throws: Never.self) { try verifier.verify(token, now: fixture.now) }
    }

    @Test func `a remembered token from the future is refused like one that was never seen`() throws {
        let token = try token(0)
        let issued = try verifier.verify(token, now: fixture.now).issuedAt
        #expect(throws: Never.self) { try verifier.verify(token, now: issued.adding(.seconds(-30))) }
        #expect(throws: TokenError.notYetValid) {
            try verifier.verify(token, now: issued.adding(.milliseconds(-30_001)))
        }
        #expect(throws: Never.self) { try verifier.verify(token, now: fixture.now) }
    }

    @Test func `memory is bounded, and what is used stays`() throws {
        let used = try token(-1)
        for number in 0..<(AccessTokenVerifier.capacity + 500) {
            _ = try verifier.verify(try token(number), now: fixture.now)
            if number.isMultiple(of: 100) { _ = try verifier.verify(used, now: fixture.now) }
            guard verifier.count <= AccessTokenVerifier.capacity else {
                Issue.record("\(verifier.count) tokens are remembered")
                return
            }
        }
        let before = verifier.count
        _ = try verifier.verify(used, now: fixture.now)
        #expect(verifier.count == before)
    }

    @Test func `a key that retires takes remembered tokens with it`() throws {
        let first = try SigningKeySet(firstKeyAt: fixture.now)
        let second = try first.rotated(at: fixture.now)
        let make = { KeyRing($0, issuer: TokenFixture.issuer, audience: TokenFixture.issuer) }
        let verifier = AccessTokenVerifier(make(second))
        let end = fixture.now.adding(AccessTokenTimes.maximumLifetime)
        var claims = fixture.claims
        claims.issuedAt = end.adding(seconds: -60)
        claims.expiresAt = end.adding(seconds: 60)
        let token = try make(first).sign(claims)
        #expect(throws: Never.self) { try verifier.verify(token, now: end.adding(.milliseconds(-1))) }
        #expect(throws: TokenError.unknownKey) { try verifier.verify(token, now: end) }
    }

    @Test func `item 12: another ring takes what was remembered with it`() throws {
        let fixture = try TokenFixture()
        let verifier = AccessTokenVerifier(fixture.ring)
        let token = try fixture.ring.sign(fixture.claims)
        _ = try verifier.verify(token, now: fixture.now)
        let other = try SigningKeySet(firstKeyAt: fixture.now)
        verifier.replace(KeyRing(other, issuer: TokenFixture.issuer, audience: TokenFixture.issuer))
        #expect(verifier.count == 0)
        #expect(throws: TokenError.unknownKey) { try verifier.verify(token, now: fixture.now) }
        verifier.replace(fixture.ring)
        #expect(throws: Never.self) { try verifier.verify(token, now: fixture.now) }
    }
}
