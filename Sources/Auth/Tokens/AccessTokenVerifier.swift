package import Bytes
private import Crypto

/// Verifies access tokens and remembers the verdict, since a signature costs ten times what a digest does.
///
/// Each loop has its own. Only tokens that held are remembered, under the digest of the whole token, in two generations:
/// a full young generation becomes the old one, and the old one is forgotten; what is used stays.
package final class AccessTokenVerifier {
    /// Tokens remembered at most, about 3 MiB for each loop.
    package static let capacity = 4096

    private typealias Verdict = (claims: AccessClaims, until: Timestamp)
    private var ring: KeyRing
    private var young: [[UInt8]: Verdict] = [:]
    private var old: [[UInt8]: Verdict] = [:]

    /// A verifier of tokens signed by `ring` that remembers nothing yet.
    package init(_ ring: KeyRing) { self.ring = ring }

    /// Believes the keys of another ring from now on, and nothing that was believed by the former one's.
    package func replace(_ ring: KeyRing) {
        self.ring = ring
        young = [:]
        old = [:]
    }

    /// How many tokens are remembered.
    package var count: Int { young.count + old.count }

    /// The claims of a token that holds now.
    package func verify(_ token: String, now: Timestamp) throws(TokenError) -> AccessClaims {
        guard token.utf8.count <= JWS.maximumLength else { throw .tooLong }
        let digest = Digest.sha256([UInt8](token.utf8))
        if let verdict = young[digest], Self.stands(verdict, at: now) { return verdict.claims }
        if let verdict = old.removeValue(forKey: digest), Self.stands(verdict, at: now) {
            remember(verdict, digest)
            return verdict.claims
        }
        young[digest] = nil
        let verdict = try ring.examine(token, now: now)
        remember(verdict, digest)
        return verdict.claims
    }

    /// Whether a remembered token holds now: a clock that was set back can make it one from the future.
    private static func stands(_ verdict: Verdict, at now: Timestamp) -> Bool {
        now < verdict.until && verdict.claims.issuedAt <= now.adding(AccessTokenTimes.futureLeeway)
    }

    private func remember(_ verdict: Verdict, _ digest: [UInt8]) {
        if young.count >= Self.capacity / 2 {
            old = young
            young = [:]
        }
        young[digest] = verdict
    }
}
