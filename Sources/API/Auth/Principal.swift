import Auth
import Bytes
import Core

/// Who asks.
enum Principal {
    /// A signed-in person.
    case person(Person)
    /// An API key, for a person or a service account.
    case key(APIKey)
}

/// A signed-in person on one device.
struct Person {
    let user: UserID
    let signIn: SignInID
    let expiresAt: Timestamp

    /// What the person may see.
    var scope: Scope { .user(user) }
}

/// What admits a principal and may end: their streams end with it.
enum Standing: Hashable, CustomStringConvertible {
    case signIn(SignInID)
    case key(APIKeyID)

    /// Reads what a revocation on the bus names.
    init?(announced message: [UInt8]) {
        let text = String(decoding: message, as: UTF8.self)
        if let signIn = SignInID(text) {
            self = .signIn(signIn)
        } else if let key = APIKeyID(text) {
            self = .key(key)
        } else {
            return nil
        }
    }

    /// The identifier of the sign-in or key.
    var description: String {
        switch self {
        case .signIn(let id): id.description
        case .key(let id): id.description
        }
    }
}

extension Principal {
    /// The last instant that can be written: the end of what has none.
    private static let never = Timestamp(milliseconds: 253_402_300_799_000)

    /// When the token or key behind it ends.
    var expiresAt: Timestamp {
        switch self {
        case .person(let person): person.expiresAt
        case .key(let key): key.expiresAt ?? Self.never
        }
    }

    /// Whether the token or key behind it has had its time.
    func isExpired(at now: Timestamp) -> Bool { now >= expiresAt }

    /// Whom it acts for.
    var account: ActingAccount {
        switch self {
        case .person(let person): .person(person.user)
        case .key(let key): key.account
        }
    }

    /// The member of the team on whom it hangs: the person, or whoever made the key.
    var member: UserID {
        switch self {
        case .person(let person): person.user
        case .key(let key): key.issuedBy
        }
    }

    /// What it may see.
    var scope: Scope {
        switch self {
        case .person(let person): person.scope
        case .key(let key): key.scope
        }
    }

    var standing: Standing {
        switch self {
        case .person(let person): .signIn(person.signIn)
        case .key(let key): .key(key.id)
        }
    }

    /// The scopes of a key; nil for a person, who may do what the role includes.
    var scopes: Set<KeyScope>? {
        switch self {
        case .person: nil
        case .key(let key): key.scopes
        }
    }

    /// Whether it may do something where it has this role.
    func allows(_ permission: Permission, role: Role) -> Bool {
        Permissions.allows(role: role, permission) && scopes.map { KeyScopes.carry(permission, $0) } ?? true
    }
}
