/// Whom a request or a job acts for.
package enum ActingAccount: Hashable, Sendable, CustomStringConvertible {
    /// A person, on a device or by an API key of theirs.
    case person(UserID)
    /// A service account of a team, by an API key.
    case service(ServiceAccountID)

    /// The identifier in its text form, `usr_…` or `svc_…`.
    package var description: String {
        switch self {
        case .person(let id): id.description
        case .service(let id): id.description
        }
    }

    /// Whether it is a service account.
    package var isService: Bool { if case .service = self { true } else { false } }

    /// The bare identifier, which no person and service account share.
    package var bareID: UserID {
        switch self {
        case .person(let id): id
        case .service(let id): UserID(high: id.high, low: id.low)
        }
    }
}
