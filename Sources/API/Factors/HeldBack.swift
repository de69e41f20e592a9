import Auth
import Core
import HTTP

extension Endpoints {
    /// Why an object is not there for somebody: it is none of theirs, or its team demands a factor that they have not.
    func absence(_ noun: String, _ object: GuardedObject, _ principal: Principal) async throws -> Problem {
        guard let user = principal.factorOwner, try await services.factors.holdsBack(user, from: object) else {
            return .missing(noun)
        }
        return .secondFactorNeeded
    }

    /// Refuses a member without the factor that the team demands.
    func demandFactor(_ team: Team, _ principal: Principal, _ permission: Permission) async throws {
        // Nobody is kept in a team.
        guard team.requiresSecondFactor, permission != .teamLeave, let user = principal.factorOwner,
            try await services.factors.holdsBack(user, from: .team(team.id))
        else { return }
        throw Refusal(.secondFactorNeeded, principal, permission, team: team.id, target: team.auditName)
    }
}

extension Principal {
    /// The person whose factors count: a key is held to those of whoever issued it.
    fileprivate var factorOwner: UserID? {
        switch self {
        case .person(let person): person.user
        case .key(let key): key.issuedBy
        }
    }
}
