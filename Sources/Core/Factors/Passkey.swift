package import Bytes

/// A person's passkey.
package struct Passkey: Sendable, Equatable {
    package var id: PasskeyID
    package var user: UserID
    /// The authenticator's own name of it.
    package var credentialID: [UInt8]
    /// The public key in the canonical form of COSE.
    package var publicKey: [UInt8]
    package var name: String
    /// How the authenticator may be reached, as the browser told; only ever passed back.
    package var transports: [String]
    /// The authenticator's counter; 0 when it does not count.
    package var signCount: UInt32
    package var isBackedUp: Bool
    package var createdAt: Timestamp
    package var lastUsedAt: Timestamp?

    /// Describes a passkey.
    package init(
        id: PasskeyID,
        user: UserID,
        credentialID: [UInt8],
        publicKey: [UInt8],
        name: String,
        transports: [String],
        signCount: UInt32,
        isBackedUp: Bool,
        createdAt: Timestamp,
        lastUsedAt: Timestamp? = nil
    ) {
        self.id = id
        self.user = user
        self.credentialID = credentialID
        self.publicKey = publicKey
        self.name = name
        self.transports = transports
        self.signCount = signCount
        self.isBackedUp = isBackedUp
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
    }
}

/// The limits of passkeys.
package enum PasskeyLimits {
    /// A person's devices and a key in a drawer; a list that is longer is nobody's.
    package static let perPerson = 20
    /// Bytes of a name.
    package static let nameBytes = 100
    /// Kinds of transport that a browser may name.
    package static let transports = 8
}

/// A challenge that was answered: it counts once.
package struct AnsweredChallenge: Sendable, Equatable {
    /// The hash of the challenge.
    package var hash: [UInt8]
    /// When the challenge ends; nobody need remember it longer.
    package var expiresAt: Timestamp

    /// Names a challenge.
    package init(hash: [UInt8], expiresAt: Timestamp) {
        self.hash = hash
        self.expiresAt = expiresAt
    }
}

/// What became of a new passkey.
package enum PasskeyAddition: Sendable, Equatable {
    /// It is kept; the recovery codes that came with it were taken when the person had none.
    case added(tookCodes: Bool, ended: [SignInID])
    /// The challenge was answered before.
    case spent
    /// The person has as many as one may have.
    case full
    /// Somebody has it already.
    case taken
}

/// What became of the use of a passkey.
package enum PasskeyUse: String, Sendable, CaseIterable {
    case used
    /// The challenge was answered before.
    case spent
    /// The counter did not grow: there may be a copy.
    case counter
    /// It has been removed.
    case unknown
}
