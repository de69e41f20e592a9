package import Bytes
package import Core
import Crypto

/// A signed note that one step of a sign-in was taken, for the step that follows; it opens nothing by itself.
///
/// Each kind has a `typ` of its own, so that none passes for another or for an access token.
package struct StepToken: Sendable, Equatable {
    /// What the next step may be.
    package enum Kind: String, Sendable, CaseIterable {
        /// The password was right; a second factor is wanted.
        case secondFactor = "second-factor+jwt"
        /// The challenge of a new passkey.
        case passkeyRegistration = "passkey-registration+jwt"
        /// The challenge of a sign-in by passkey.
        case passkeySignIn = "passkey-sign-in+jwt"
        /// The challenge of a signed-in person who shows to be still there.
        case passkeyStepUp = "passkey-step-up+jwt"
    }

    /// Time enough to find the telephone, and no more.
    package static let lifetime = Duration.seconds(5 * 60)
    /// Bytes of the random part, by which one token is told from another.
    package static let nonceLength = 16

    /// The step that may follow.
    package var kind: Kind
    /// The person; nil before it is known who signs in.
    package var user: UserID?
    /// The sign-in that the step belongs to, when there is one already.
    package var signIn: SignInID?
    /// What was proved before this step.
    package var proof: String?
    /// Which of the person's passwords was right, when one was asked for: a changed one ends the step.
    package var passwordGeneration: Int?
    /// The device's name, to be given to the sign-in.
    package var device: String?
    /// Unique to this token.
    package var nonce: String
    /// The token is refused from this instant on.
    package var expiresAt: Timestamp

    /// A token made now.
    package init(
        _ kind: Kind,
        at now: Timestamp,
        user: UserID? = nil,
        signIn: SignInID? = nil,
        proof: String? = nil,
        passwordGeneration: Int? = nil,
        device: String? = nil
    ) {
        self.kind = kind
        self.user = user
        self.signIn = signIn
        self.proof = proof
        self.passwordGeneration = passwordGeneration
        self.device = device
        nonce = Base64.encodeURL(SecureRandom.bytes(Self.nonceLength))
        // Written in whole seconds.
        expiresAt = Timestamp(milliseconds: now.milliseconds / 1000 * 1000).adding(Self.lifetime)
    }

    private init(
        _ kind: Kind,
        user: UserID?,
        signIn: SignInID?,
        proof: String?,
        passwordGeneration: Int?,
        device: String?,
        nonce: String,
        expiresAt: Timestamp
    ) {
        self.kind = kind
        self.user = user
        self.signIn = signIn
        self.proof = proof
        self.passwordGeneration = passwordGeneration
        self.device = device
        self.nonce = nonce
        self.expiresAt = expiresAt
    }

    /// What the store keeps of a token that was used up.
    package static func hash(of text: String) -> [UInt8] { Digest.sha256([UInt8](text.utf8)) }
}

extension StepToken {
    /// The claims as a JSON payload.
    func encoded(issuer: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 256)
        writer.beginObject()
        writer.member("iss", issuer)
        writer.member("aud", issuer)
        writer.member("jti", nonce)
        writer.member("exp", expiresAt.milliseconds / 1000)
        if let user { writer.member("sub", user.description) }
        if let signIn { writer.member("sid", signIn.description) }
        if let proof { writer.member("proof", proof) }
        if let passwordGeneration { writer.member("pwg", Int64(passwordGeneration)) }
        if let device { writer.member("device", device) }
        writer.endObject()
        return writer.bytes
    }

    /// Reads and judges the payload of a token whose signature and `typ` have been verified.
    init(_ payload: [UInt8], _ kind: Kind, issuer: String, now: Timestamp) throws(TokenError) {
        guard let members = (try? JSONReader.parse(payload))?.object else { throw .malformed }
        guard members["iss"]?.string == issuer else { throw .wrongIssuer }
        guard members["aud"]?.string == issuer else { throw .wrongAudience }
        guard let seconds = members["exp"]?.integer, (0...Int64.max / 1000).contains(seconds) else {
            throw .badClaim("exp")
        }
        let expiresAt = Timestamp(milliseconds: seconds * 1000)
        guard now < expiresAt else { throw .expired }
        guard expiresAt - now <= Self.lifetime + AccessTokenTimes.futureLeeway else { throw .notYetValid }
        guard let nonce = members["jti"]?.string, !nonce.isEmpty else { throw .badClaim("jti") }
        self.init(
            kind,
            user: try Self.identifier(members, "sub"),
            signIn: try Self.identifier(members, "sid"),
            proof: members["proof"]?.string,
            passwordGeneration: try Self.generation(members),
            device: members["device"]?.string,
            nonce: nonce,
            expiresAt: expiresAt
        )
    }

    private static func generation(_ members: JSONObject) throws(TokenError) -> Int? {
        guard let value = members["pwg"] else { return nil }
        guard let number = value.integer.flatMap({ Int(exactly: $0) }) else { throw .badClaim("pwg") }
        return number
    }

    private static func identifier<N>(_ members: JSONObject, _ name: String) throws(TokenError) -> ID<N>? {
        guard let value = members[name] else { return nil }
        guard let id = value.string.flatMap({ ID<N>($0) }) else { throw .badClaim(name) }
        return id
    }
}
