package import Bytes

/// What is stored about a presented refresh token and its family.
package struct RefreshFacts: Sendable, Equatable {
    /// No successor has been issued to it.
    package var isCurrent: Bool
    /// The current token is its direct successor.
    package var isParentOfCurrent: Bool
    /// When it was first exchanged; never moved by a replay.
    package var firstUsedAt: Timestamp?
    /// The sign-in was ended, or its account disabled.
    package var isRevoked: Bool
    /// The absolute end of the sign-in.
    package var expiresAt: Timestamp

    /// Gathers the facts.
    package init(
        isCurrent: Bool,
        isParentOfCurrent: Bool,
        firstUsedAt: Timestamp?,
        isRevoked: Bool,
        expiresAt: Timestamp
    ) {
        self.isCurrent = isCurrent
        self.isParentOfCurrent = isParentOfCurrent
        self.firstUsedAt = firstUsedAt
        self.isRevoked = isRevoked
        self.expiresAt = expiresAt
    }
}

/// What to do with a presented refresh token.
package enum RefreshVerdict: Sendable, Equatable {
    /// Issue the successor and make it current.
    case rotate
    /// Give the same successor again; issue nothing.
    case replay
    /// Somebody else holds the family: end it.
    case revokeFamily
    /// Refuse, and change nothing.
    case refuse

    /// Judges a token; `facts` is nil for an unknown one.
    ///
    /// A client that lost the answer asks again at once, so the direct parent is forgiven within `window` of its first
    /// use (a window of zero forgives nothing). Any older generation, at any time, is a theft.
    package static func judge(_ facts: RefreshFacts?, now: Timestamp, window: Duration) -> RefreshVerdict {
        guard let facts, !facts.isRevoked, now < facts.expiresAt else { return .refuse }
        if facts.isCurrent { return .rotate }
        guard facts.isParentOfCurrent, let firstUsedAt = facts.firstUsedAt, now - firstUsedAt < window else {
            return .revokeFamily
        }
        return .replay
    }
}
