package import Bytes

/// One signed-in device: a family of refresh tokens that began with one sign-in.
package struct SignIn: Sendable, Equatable {
    package var id: SignInID
    package var userID: UserID
    package var deviceName: String
    package var address: String
    package var userAgent: String
    package var createdAt: Timestamp
    package var lastUsedAt: Timestamp
    /// Absolute: refreshing never moves it.
    package var expiresAt: Timestamp
    package var revokedAt: Timestamp?
    /// When the person last proved who they are, by more than a token.
    package var authenticatedAt: Timestamp
    /// The client that its tokens are bound to.
    package var clientID: String
    /// What its tokens may be used for, in its client's team alone; nil for everything that the person may do.
    package var scopes: Set<KeyScope>?

    /// The client of Errand's own programs.
    package static let ownClient = "errand"

    /// Makes a sign-in from its stored parts; a new one is as fresh as it is young.
    package init(
        id: SignInID,
        userID: UserID,
        deviceName: String,
        address: String,
        userAgent: String,
        createdAt: Timestamp,
        lastUsedAt: Timestamp,
        expiresAt: Timestamp,
        revokedAt: Timestamp?,
        authenticatedAt: Timestamp? = nil,
        clientID: String = SignIn.ownClient,
        scopes: Set<KeyScope>? = nil
    ) {
        self.id = id
        self.userID = userID
        self.deviceName = deviceName
        self.address = address
        self.userAgent = userAgent
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.authenticatedAt = authenticatedAt ?? createdAt
        self.clientID = clientID
        self.scopes = scopes
    }
}

/// What became of a presented refresh token.
package enum RefreshOutcome: Sendable, Equatable {
    /// The successor is stored and current.
    case rotated(SignIn)
    /// The immediate parent came again within its window: the same successor, sealed under the parent.
    case replayed(SignIn, sealedSuccessor: [UInt8])
    /// An older generation, or the parent after its window: the family is revoked by this call.
    case reused(SignIn)
    /// Unknown, expired, revoked or of a disabled account.
    case refused
}
