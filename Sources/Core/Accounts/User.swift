package import Bytes

/// A person's account.
package struct User: Sendable, Equatable {
    package var id: UserID
    /// The address, lower-cased; unique.
    package var email: String
    package var name: String
    /// True for an administrator of this installation, who may use `errand admin` routes.
    package var isAdministrator: Bool
    package var isDisabled: Bool
    package var createdAt: Timestamp

    /// Makes a user from its stored parts.
    package init(
        id: UserID,
        email: String,
        name: String,
        isAdministrator: Bool,
        isDisabled: Bool,
        createdAt: Timestamp
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.isAdministrator = isAdministrator
        self.isDisabled = isDisabled
        self.createdAt = createdAt
    }
}

/// What a sign-in needs to know of an account.
package struct UserCredentials: Sendable {
    package var user: User
    /// The argon2id PHC string.
    package var passwordHash: String
    /// Which of the account's passwords that is; zero for an account that never had one.
    ///
    /// A new one has a new number, a costlier hash of the same has not.
    package var passwordGeneration: Int

    /// Pairs an account with its password hash.
    package init(user: User, passwordHash: String, passwordGeneration: Int) {
        self.user = user
        self.passwordHash = passwordHash
        self.passwordGeneration = passwordGeneration
    }
}

/// The rules an address must keep: what a mail server would take, without comments or quoting.
package enum EmailAddress {
    /// 254 bytes is the longest path RFC 5321 allows.
    package static let maximumLength = 254

    /// The canonical form of an address, or nil when it is none.
    package static func canonical(_ text: String) -> String? {
        guard text.utf8.count <= maximumLength else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, parts[0].utf8.count <= 64 else { return nil }
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"(),:;<>[]\\".utf8.contains($0) }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard isPlain, labels.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 63 && !$0.hasPrefix("-") }) else {
            return nil
        }
        return text.lowercased()
    }
}
