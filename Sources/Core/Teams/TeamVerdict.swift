/// What became of an act on a team or its people, as the store judged it under the team's lock.
package enum TeamVerdict: String, Sendable, CaseIterable {
    /// It was done.
    case done
    /// It was so before.
    case unchanged
    /// The team, or the project, is not there for the actor.
    case unknown
    /// The person is no member, or has no account that may become one.
    case unknownMember = "unknown_member"
    /// The invitation is not there, or cannot be used: one answer for every reason.
    case unknownInvite = "unknown_invite"
    /// It is above the actor's own role.
    case forbidden
    /// The team would be left without an owner who can sign in.
    case lastOwner = "last_owner"
    /// An owner's role is the same in every project.
    case ownerFixed = "owner_fixed"
    /// The person is a member already.
    case alreadyMember = "already_member"
    /// The team is being deleted.
    case closing
    /// The team has all the open invitations it can have.
    case full
    /// So many invitations were mailed in the last hour that this one is not made.
    case mailLimit = "mail_limit"
}
