/// Whose rows a query may see; row-level security holds every statement to it.
package enum Scope: Hashable, Sendable {
    /// The teams of one signed-in person.
    case user(UserID)
    /// One team.
    case team(TeamID)
    /// What an API key opens: its team, or when it is limited only some projects of it.
    case key(APIKeyID, isLimited: Bool)
    /// All rows: signing in, the worker link, the sweeps. Never taken from a request.
    case system
}

/// A row together with what the asking person may do with it.
package struct Access<Value: Sendable>: Sendable {
    package var value: Value
    /// The person's role in the row's team; `owner` for `Scope.system`.
    package var role: Role
    /// The row's team is being deleted: it may be looked at, and not changed.
    package var isClosing: Bool

    /// Pairs a row with a role.
    package init(value: Value, role: Role, isClosing: Bool = false) {
        self.value = value
        self.role = role
        self.isClosing = isClosing
    }
}

/// Why a store could not do as asked.
package enum StoreError: Error, Sendable, Equatable {
    /// A unique value is taken; names the field.
    case conflict(field: String)
    /// The row is not there, or not in the scope.
    case notFound
    /// The team has all that this quota allows.
    case quotaExceeded(QuotaName)
    /// The database cannot be reached or refused for want of resources; safe to try again.
    case unavailable(String)
    /// The statement failed for a reason that only a developer can mend; the text is for the log, never for a user.
    case failed(stage: String, sqlState: String)
}

/// One page of a listing, newest first.
package struct Page<Value: Sendable>: Sendable {
    package var items: [Value]
    /// True when another page follows the last item.
    package var hasMore: Bool

    /// Makes a page.
    package init(items: [Value], hasMore: Bool) {
        self.items = items
        self.hasMore = hasMore
    }
}
