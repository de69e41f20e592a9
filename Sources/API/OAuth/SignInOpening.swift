import Auth
import Bytes
import Core

/// As what a sign-in is opened.
struct SignInOpening {
    /// What opens it again.
    enum Credential {
        case refresh(RefreshToken)
        /// A browser's cookie, by its hash.
        case session(hash: [UInt8])

        /// What the store keeps of it.
        var stored: SignInCredential {
            switch self {
            case .refresh(let token): .refresh(hash: token.hash)
            case .session(let hash): .session(hash: hash)
            }
        }

        /// The one copy of the refresh token; a browser has none.
        var refreshToken: String {
            if case .refresh(let token) = self { token.token } else { "" }
        }
    }

    /// The client that its tokens are bound to.
    var client = SignIn.ownClient
    /// Its absolute life.
    var lifetime = RefreshToken.lifetime
    var credential: Credential
    /// What it uses up.
    var grant: UsedGrant?
    /// When the person proved who they are; now unless given.
    var authenticatedAt: Timestamp?
    /// What its tokens may be used for; nil for everything.
    var scopes: Set<KeyScope>?

    /// One of Errand's own programs.
    static func own() -> SignInOpening { SignInOpening(credential: .refresh(.make())) }
}

/// What a sign-in uses up.
enum UsedGrant {
    /// A confirmed device, by the hash of its device code.
    case device(hash: [UInt8])
    /// A code that a person gave a client, by its hash.
    case code(hash: [UInt8])

    /// The same for the store, for the sign-in that it becomes.
    func redeemed(as signIn: SignInID) -> RedeemedGrant {
        switch self {
        case .device(let hash): .device(hash: hash)
        case .code(let hash): .code(hash: hash, keyHash: AppKey.hash(of: signIn))
        }
    }
}
