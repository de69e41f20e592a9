import Core
import Store

/// Teams and accounts as the administrative verbs name them.
enum AdminTeams {
    /// Teams that one query reads.
    private static let pageSize = 500

    /// All teams, oldest first, a page at a time.
    static func each(in store: Store, _ body: (Team) throws -> Void) async throws {
        var last: TeamID?
        while true {
            let page = try await store.teams.teams(after: last, limit: pageSize, scope: .system)
            for team in page.items { try body(team) }
            last = page.items.last?.id
            guard page.hasMore else { return }
        }
    }

    /// The members of a team, oldest account first.
    static func members(of team: TeamID, in store: Store) async throws -> [Member] {
        var members: [Member] = []
        while true {
            let page = try await store.teams.members(
                of: team,
                after: members.last?.user.id,
                limit: pageSize,
                scope: .system
            )
            members += page.items
            guard page.hasMore else { return members }
        }
    }

    /// The team of an id, or of a name that only one has.
    static func find(_ named: String, in store: Store) async throws -> Team {
        if let id = TeamID(named) {
            if let team = try await store.teams.team(id, scope: .system)?.value { return team }
        } else {
            var found: [Team] = []
            try await each(in: store) { if $0.name == named { found.append($0) } }
            if found.count == 1 { return found[0] }
            if found.count > 1 {
                let ids = found.map(\.id.description).joined(separator: ", ")
                throw CommandFailure("several teams have this name: \(ids)", exitCode: ExitCode.usage)
            }
        }
        throw CommandFailure(
            "there is no team \(VisibleText.line(named)): see `errand admin team list`",
            exitCode: ExitCode.notFound
        )
    }

    /// The account of an address.
    static func account(_ email: String, in store: Store) async throws -> User {
        guard let user = try await store.accounts.credentials(email: email.lowercased())?.user else {
            throw CommandFailure(
                "there is no account with the address \(VisibleText.line(email))",
                exitCode: ExitCode.notFound
            )
        }
        return user
    }
}

extension TeamVerdict {
    /// Goes on when it was done or was so before; throws what stood in its way.
    func demandDone(_ what: String) throws(CommandFailure) {
        let reason: String
        switch self {
        case .done, .unchanged: return
        case .unknown: throw CommandFailure("\(what): the team is not there", exitCode: ExitCode.notFound)
        case .unknownMember: throw CommandFailure("\(what): there is no such member", exitCode: ExitCode.notFound)
        case .unknownInvite: throw CommandFailure("\(what): no such invitation", exitCode: ExitCode.notFound)
        case .lastOwner: reason = "the team would have no owner; make another member owner first"
        case .alreadyMember: reason = "this account is a member already; `errand admin member role` changes the role"
        case .closing: reason = "the team is being deleted; `errand admin team restore` takes that back"
        case .ownerFixed: reason = "an owner has the same role everywhere"
        case .forbidden: reason = "it is not allowed"
        case .full: reason = "it is full"
        case .mailLimit: reason = "too many invitations were mailed in the last hour"
        }
        throw CommandFailure("\(what): \(reason)")
    }
}
