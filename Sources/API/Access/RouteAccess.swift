package import Auth

/// Who may call a route; every row of the table of routes names one.
package enum RouteAccess: Sendable, Equatable {
    /// Anybody, without a token.
    case anyone
    /// A page: anybody may open it, and what it does asks for the browser's own sign-in.
    case page
    /// This machine itself, and administrators.
    case machine
    /// A worker, by its credential or its enrolment token.
    case worker
    /// A signed-in person, about nobody but themselves.
    case person
    /// A signed-in person or an API key, about the teams that they are in.
    case account
    /// A signed-in person, about objects that the query or the body chooses among those of their teams.
    case chosen(Permission)
    /// A member of the team that the path names.
    case team(Permission)
    /// A member of the team of the project that the path names, with their role in the project.
    case project(Permission)
    /// A member of the team of the job that the path names, with their role in the job's project.
    case job(Permission)

    /// The one permission of a team-bound route; nil for the others.
    package var permission: Permission? {
        switch self {
        case .anyone, .page, .machine, .worker, .person, .account: nil
        case .chosen(let permission), .team(let permission), .project(let permission), .job(let permission): permission
        }
    }
}
