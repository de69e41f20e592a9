package import Bytes

/// A machine that waits until its person confirms it (RFC 8628).
package struct DeviceGrant: Sendable, Equatable {
    /// The client that asks, to which the device code is bound.
    package var clientID: String
    /// What the sign-in will be called.
    package var deviceName: String
    /// Where the machine asked from.
    package var address: String
    package var userAgent: String
    package var createdAt: Timestamp
    package var expiresAt: Timestamp

    /// Describes a machine that asks.
    package init(
        clientID: String,
        deviceName: String,
        address: String,
        userAgent: String,
        createdAt: Timestamp,
        expiresAt: Timestamp
    ) {
        self.clientID = clientID
        self.deviceName = deviceName
        self.address = address
        self.userAgent = userAgent
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// The bounds of the device grant.
package enum DeviceGrantLimits {
    /// Time to find the telephone and to sign in there.
    package static let lifetime = Duration.seconds(600)
    /// How long a machine waits between two questions, unless it was told to slow down.
    package static let interval = Duration.seconds(5)
    /// What the interval grows by when a machine asks too soon (RFC 8628, 3.5).
    package static let slowDown = Duration.seconds(5)
    /// A network that delivers one question later than the next takes nobody's time.
    package static let leeway = Duration.milliseconds(500)
    /// Machines that wait at a time: a guess of a user code meets one of them with a chance of one in two million.
    package static let waiting = 10_000
    /// Of these at one address (an IPv6 /64): more than an office signs in within ten minutes.
    package static let waitingAtOneAddress = 100
}

/// What a machine is told when it asks whether it was confirmed.
package enum DevicePoll: Sendable, Equatable {
    case pending
    /// It asked too soon, and has to wait longer from now on.
    case slowDown
    case refused
    case expired
    /// It was confirmed by this person.
    case approved(UserID, deviceName: String)
    /// There is none such, it is another client's, or it was exchanged before.
    case unknown
}

/// What opens a new sign-in again.
package enum SignInCredential: Sendable, Equatable {
    /// A refresh token, by its hash.
    case refresh(hash: [UInt8])
    /// A browser's cookie, by its hash.
    case session(hash: [UInt8])
}

/// What is used up by the sign-in that it becomes, in the same transaction.
package enum RedeemedGrant: Sendable, Equatable {
    /// A confirmed device, by the hash of its device code.
    case device(hash: [UInt8])
    /// A code that a person gave a client, by its hash; `keyHash` is where the rights of the sign-in are found.
    case code(hash: [UInt8], keyHash: [UInt8])
}
