package import Bytes

/// Something about their own account that a person should know.
package struct Notice: Sendable, Equatable {
    /// What happened.
    package enum Kind: String, Sendable, CaseIterable {
        /// A sign-in with a kind of client or from a network that was not seen before.
        case newDevice = "new_device"
        /// An old refresh token came back: somebody else had it, and the sign-in was ended.
        case tokenReuse = "token_reuse"
        /// The password was changed by somebody who knew the old one.
        case passwordChanged = "password_changed"
        /// The password was changed by a reset link.
        case passwordReset = "password_reset"
        /// A second factor was added.
        case factorEnabled = "factor_enabled"
        /// A second factor was taken away, by the person or by an administrator.
        case factorDisabled = "factor_disabled"
        /// Somebody who knows the password tries codes.
        case factorRefused = "factor_refused"
        /// A recovery code was used.
        case recoveryUsed = "recovery_used"
    }

    package var kind: Kind
    package var createdAt: Timestamp
    /// The sign-in that it is about.
    package var signIn: SignInID?
    package var deviceName: String?
    /// Where it came from.
    package var address: String?
    package var userAgent: String?

    /// Describes what happened.
    package init(
        _ kind: Kind,
        at createdAt: Timestamp,
        signIn: SignInID? = nil,
        deviceName: String? = nil,
        address: String? = nil,
        userAgent: String? = nil
    ) {
        self.kind = kind
        self.createdAt = createdAt
        self.signIn = signIn
        self.deviceName = deviceName
        self.address = address
        self.userAgent = userAgent
    }
}
