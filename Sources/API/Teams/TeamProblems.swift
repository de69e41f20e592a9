import Core
import HTTP

/// What the verdicts of the team's own rules mean to the client.
extension Problem {
    static let aboveOwnRole = Problem(
        status: 403,
        code: "above_own_role",
        title: "This is above your own role",
        detail: "Nobody gives a role above their own, or changes somebody above themselves."
    )
    static let lastOwner = Problem(
        status: 409,
        code: "last_owner",
        title: "The team would have no owner",
        detail: "Make another member owner first, or hand the team over with POST /v1/teams/{id}/transfer."
    )
    static let ownerRoleFixed = Problem(
        status: 409,
        code: "owner_role_fixed",
        title: "An owner has the same role in every project"
    )
    static let alreadyMember = Problem(
        status: 409,
        code: "already_member",
        title: "You are in this team already",
        detail: "The invitation was not used."
    )
    static let teamLimitReached = Problem(
        status: 409,
        code: "team_limit_reached",
        title: "You own as many teams as one person may",
        detail: "Delete one, or hand one over with POST /v1/teams/{id}/transfer; the administrator can found more."
    )
    static let tooManyInvites = Problem(
        status: 409,
        code: "too_many_invites",
        title: "The team has \(TeamLimits.openInvites) open invitations, which is the most",
        detail: "Revoke some with DELETE /v1/teams/{id}/invites/{invite}, or wait until they are used."
    )
    static let inviteMailLimit = Problem(
        status: 429,
        code: "invite_mail_limit",
        title: "Too many invitations were mailed in the last hour",
        detail:
            "\(OutboxLimits.invitesPerTeam) of a team or a person and \(OutboxLimits.invitesPerRecipient) to one address go out. Invite without `email` and hand the link over, or try again later.",
        retryAfter: 600
    )
}

extension TeamVerdict {
    /// What the client is told; nil when it was done, or was so before.
    var problem: Problem? {
        switch self {
        case .done, .unchanged: nil
        case .unknown: .missing("team")
        case .unknownMember: .missing("member")
        case .unknownInvite: .missing("invite")
        case .forbidden: .aboveOwnRole
        case .lastOwner: .lastOwner
        case .ownerFixed: .ownerRoleFixed
        case .alreadyMember: .alreadyMember
        case .closing: .teamDeleting
        case .full: .tooManyInvites
        case .mailLimit: .inviteMailLimit
        }
    }
}

extension Endpoints {
    /// Goes on when an act on a team was done; what was above the actor's role is a refusal like the gate's.
    func demandDone(_ verdict: TeamVerdict, _ call: TeamCall, target: String? = nil) throws {
        guard let problem = verdict.problem else { return }
        guard verdict == .forbidden else { throw ProblemError(problem) }
        throw Refusal(
            problem,
            call.principal,
            call.permission,
            team: call.team.id,
            target: target ?? call.team.auditName
        )
    }
}
