import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The account that an identity opens, or a new one where the administrator lets the provider bring people.
    ///
    /// Issuer and subject alone say whose it is. An address links nobody: whoever runs a provider, or changes an address
    /// there, must not come into an account that somebody else has here.
    func account(of token: IDToken, at provider: OpenIDProvider, _ request: HTTPRequest) async throws -> User {
        if let user = try await knownAccount(of: token) { return user }
        let user = User(
            id: UserID(at: services.time.now),
            email: try provider.newAddress(of: token),
            name: Self.name(of: token),
            isAdministrator: false,
            isDisabled: false,
            createdAt: services.time.now
        )
        do throws(StoreError) {
            try await create(user, token, provider, request)
        } catch {
            switch error {
            // Two browsers of one person, at the same moment.
            case .conflict(field: "identity"):
                guard let user = try await knownAccount(of: token) else { throw error }
                return user
            case .conflict(field: "email"): throw ProviderRefusal.accountExists
            default: throw error
            }
        }
        if let joins = provider.joins { await join(user, joins, provider, request) }
        return user
    }

    private func knownAccount(of token: IDToken) async throws -> User? {
        let now = services.time.now
        let found = try await services.identities.user(issuer: token.issuer, subject: token.subject, now: now)
        guard let found else { return nil }
        guard !found.isDisabled else { throw ProviderRefusal.accountDisabled }
        return found
    }

    private func create(
        _ user: User,
        _ token: IDToken,
        _ provider: OpenIDProvider,
        _ request: HTTPRequest
    ) async throws(StoreError) {
        let now = user.createdAt
        let team = Team(id: TeamID(at: now), name: user.name, createdAt: now)
        let actor = AuditActor.user(user.id, device: nil)
        try await services.identities.createUser(
            user,
            // A password that nobody has: trying one costs as much as for any other account, and tells as little.
            passwordHash: PasswordCheck.unmatchable(),
            team: team,
            identity: UserIdentity(
                id: IdentityID(at: now),
                userID: user.id,
                issuer: token.issuer,
                subject: token.subject,
                email: token.email,
                linkedAt: now,
                lastUsedAt: now
            ),
            audit: [
                request.auditDraft(
                    by: actor,
                    "user.created",
                    team: nil,
                    target: user.id.description,
                    at: now,
                    details: [AuditDetail("email", user.email), AuditDetail("provider", provider.name)]
                ),
                request.auditDraft(
                    by: actor,
                    "team.created",
                    team: team.id,
                    target: team.id.description,
                    at: now,
                    details: [AuditDetail("owner", user.id.description)]
                ),
            ]
        )
    }

    /// Puts a new person into the provider's team; one that is full or being deleted keeps nobody from their account.
    private func join(
        _ user: User,
        _ joins: ProviderTeam,
        _ provider: OpenIDProvider,
        _ request: HTTPRequest
    ) async {
        _ = try? await services.teams.addMember(
            user.id,
            to: joins.team,
            role: joins.role,
            now: user.createdAt,
            audit: request.auditDraft(
                by: .user(user.id, device: nil),
                "member.added",
                team: joins.team,
                target: user.id.description,
                at: user.createdAt,
                details: [AuditDetail("role", joins.role.rawValue), AuditDetail("provider", provider.name)]
            )
        )
    }

    /// The person's name as the provider has it, when it is one; else their address or the subject.
    private static func name(of token: IDToken) -> String {
        let wanted = PlainName.trimmed(token.name ?? "")
        let isName =
            PlainName.isVisible(wanted) && !PlainName.holdsControls(wanted) && wanted.utf8.count <= TeamLimits.nameBytes
        return isName ? wanted : String((token.email ?? token.subject).prefix(TeamLimits.nameBytes))
    }
}
