import Auth
import Bytes
import Core
import Crypto
import Testing

struct RefreshTests {
    private let now = Timestamp(milliseconds: 1_000_000)
    private let window = Duration.seconds(30)

    private func facts(
        current: Bool = false,
        parent: Bool = false,
        firstUsed: Timestamp? = nil,
        revoked: Bool = false,
        expires: Timestamp? = nil
    ) -> RefreshFacts {
        RefreshFacts(
            isCurrent: current,
            isParentOfCurrent: parent,
            firstUsedAt: firstUsed,
            isRevoked: revoked,
            expiresAt: expires ?? now.adding(seconds: 100)
        )
    }

    @Test func `the current token rotates`() {
        #expect(RefreshVerdict.judge(facts(current: true), now: now, window: window) == .rotate)
    }

    @Test(arguments: [
        (Int64(0), RefreshVerdict.replay), (29_999, .replay), (30_000, .revokeFamily), (30_001, .revokeFamily),
        (3_600_000, .revokeFamily),
    ])
    func `the parent is forgiven within the window of its first use only`(age: Int64, verdict: RefreshVerdict) {
        let used = now.adding(.milliseconds(-age))
        #expect(RefreshVerdict.judge(facts(parent: true, firstUsed: used), now: now, window: window) == verdict)
    }

    @Test func `an older generation ends the family also within the window`() {
        #expect(RefreshVerdict.judge(facts(firstUsed: now), now: now, window: window) == .revokeFamily)
        #expect(RefreshVerdict.judge(facts(firstUsed: nil), now: now, window: window) == .revokeFamily)
    }

    @Test func `a window of nothing forgives nothing`() {
        #expect(RefreshVerdict.judge(facts(parent: true, firstUsed: now), now: now, window: .zero) == .revokeFamily)
    }

    @Test func `unknown, revoked and expired are refused and change nothing`() {
        #expect(RefreshVerdict.judge(nil, now: now, window: window) == .refuse)
        #expect(RefreshVerdict.judge(facts(current: true, revoked: true), now: now, window: window) == .refuse)
        #expect(RefreshVerdict.judge(facts(current: true, expires: now), now: now, window: window) == .refuse)
        let last = facts(current: true, expires: now.adding(.milliseconds(1)))
        #expect(RefreshVerdict.judge(last, now: now, window: window) == .rotate)
    }

    @Test func `a token is 256 bits behind a prefix, and parses to the same hash`() throws {
        let token = RefreshToken.make()
        #expect(token.token.hasPrefix("ert_"))
        #expect(token.token.utf8.count == 47)
        #expect(token.hash.count == 32)
        #expect(try #require(RefreshToken.parse(token.token)).hash == token.hash)
        #expect(RefreshToken.make().hash != token.hash)
    }

    @Test(arguments: ["", "ert_", "ERT_", "ert_AAAA", "est_", "ert_ "])
    func `what has not the form of a token is refused`(prefix: String) {
        let body = Base64.encodeURL([UInt8](repeating: 1, count: 32))
        #expect(RefreshToken.parse("ert_" + body) != nil)
        #expect(RefreshToken.parse(prefix) == nil)
        #expect(RefreshToken.parse("ert_" + body + "A") == nil)
        #expect(RefreshToken.parse("ert_" + body + "=") == nil)
        #expect(RefreshToken.parse(body) == nil)
    }

    @Test func `a sealed successor opens with its parent only`() throws {
        let parent = RefreshToken.make()
        let successor = RefreshToken.make()
        let sealed = try parent.seal(successor: successor.token)
        #expect(try parent.open(sealed: sealed) == successor.token)
        #expect(try parent.seal(successor: successor.token) != sealed)
        #expect(throws: CryptoError.self) { try RefreshToken.make().open(sealed: sealed) }
        #expect(throws: CryptoError.self) { try successor.open(sealed: sealed) }
        for length in [0, 11, 12, 27, sealed.count - 1] {
            #expect(throws: CryptoError.self) { try parent.open(sealed: [UInt8](sealed.prefix(length))) }
        }
        #expect(!String(decoding: sealed, as: UTF8.self).contains(successor.token))
    }

    @Test func `a ticket travels as a subprotocol and its hash is found again`() {
        let ticket = StreamTicket.make()
        #expect(ticket.token.utf8.count == 43)
        #expect(StreamTicket.hash(ofSubprotocol: StreamTicket.subprotocolPrefix + ticket.token) == ticket.hash)
        #expect(StreamTicket.hash(ofSubprotocol: ticket.token) == nil)
        #expect(StreamTicket.hash(ofSubprotocol: StreamTicket.subprotocolPrefix) == nil)
        #expect(StreamTicket.hash(ofSubprotocol: StreamTicket.subprotocolPrefix + ticket.token + "A") == nil)
        #expect(StreamTicket.hash(ofSubprotocol: "errand.v1") == nil)
        #expect(StreamTicket.lifetime == .seconds(30))
    }
}
