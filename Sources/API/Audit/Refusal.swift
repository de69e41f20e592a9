import Auth
import Core
import HTTP

/// A request that a gate turned away: what the client is told, and what the audit log is.
struct Refusal: Error {
    let problem: Problem
    let principal: Principal
    let permission: Permission?
    /// Nil when the object is not there, or not for this person to see.
    let team: TeamID?
    let target: String?

    /// Describes a refusal.
    init(
        _ problem: Problem,
        _ principal: Principal,
        _ permission: Permission?,
        team: TeamID? = nil,
        target: String? = nil
    ) {
        self.problem = problem
        self.principal = principal
        self.permission = permission
        self.team = team
        self.target = target
    }
}

/// What belongs to a team and has a name in the audit log.
protocol TeamOwned {
    var owningTeam: TeamID { get }
    var auditName: String { get }
}

extension Team: TeamOwned {
    var owningTeam: TeamID { id }
    var auditName: String { id.description }
}

extension Project: TeamOwned {
    var owningTeam: TeamID { teamID }
    var auditName: String { id.description }
}

extension Job: TeamOwned {
    var owningTeam: TeamID { teamID }
    var auditName: String { id.description }
}
