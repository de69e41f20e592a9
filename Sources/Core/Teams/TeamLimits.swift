/// The bounds of teams and their invitations.
package enum TeamLimits {
    /// A team's deletion can be taken back for this long: over a weekend and a holiday.
    package static let deletionGrace = Duration.seconds(7 * 86_400)
    /// An invitation stands this long unless its maker says otherwise.
    package static let inviteLifetime = 7 * 86_400
    /// From a minute, for one who waits beside you, to a month: an older link is a forgotten one.
    package static let inviteLifetimes = 60...(30 * 86_400)
    /// Open invitations of one team: the largest department at once, and a bound on the table.
    package static let openInvites = 500
    /// Bytes of a team's name.
    package static let nameBytes = 100
}
