import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Invites somebody into a team: `POST /v1/teams/{id}/invites`; the link is shown in this answer and never again.
    func createInvite(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                role: fields.choice("role", Role.self),
                email: fields.address("email"),
                lifetime: fields.integer("expires_in_seconds", in: TeamLimits.inviteLifetimes)
            )
        }
        let now = services.time.now
        let token = InviteToken.make()
        let invite = Invite(
            id: InviteID(at: now),
            teamID: call.team.id,
            role: form.role ?? .member,
            email: form.email,
            invitedBy: try person(of: call).user,
            createdAt: now,
            expiresAt: now.adding(seconds: form.lifetime ?? TeamLimits.inviteLifetime)
        )
        let audit = request.auditDraft(
            call,
            "invite.created",
            target: invite.id.description,
            at: now,
            details: [AuditDetail("role", invite.role.rawValue)]
                + (invite.email.map { [AuditDetail("email", $0)] } ?? [])
        )
        let link = token.link(services.settings.publicURL)
        let letters = try await letters(for: invite, link, call)
        var verdict = TeamVerdict.forbidden
        if letters.isEmpty {
            verdict = try await services.invites.create(
                invite,
                tokenHash: token.hash,
                scope: call.principal.scope,
                audit: audit
            )
        } else {
            try await services.vault.keep(letters.map { ($0.secret, SecretPlace(letter: $0.id)) }) {
                sealed throws(StoreError) in
                verdict = try await services.invites.create(
                    invite,
                    tokenHash: token.hash,
                    letters: zip(letters, sealed).map { LetterDraft(id: $0.id, channel: $0.channel, secret: $1) },
                    scope: call.principal.scope,
                    audit: audit
                )
            }
        }
        try demandDone(verdict, call)
        let secret = NewInviteSecret(token: token.token, link: link, channels: letters.map(\.channel))
        var response = HTTPResponse.json(
            201,
            document { InviteView.write(invite, at: now, secret: secret, to: &$0) }
        )
        response.headers.set(name: "cache-control", value: "no-store")
        return response
    }

    /// The letters by which an invitation reaches its address: one for each way out, none without an address.
    private func letters(
        for invite: Invite,
        _ link: String,
        _ call: TeamCall
    ) async throws -> [(id: LetterID, channel: LetterChannel, secret: ClearSecret)] {
        let channels = services.settings.channels
        guard invite.email != nil, !channels.isEmpty else { return [] }
        let host = try await services.accounts.user(try person(of: call).user)
        let content = InviteLetter(
            team: call.team.name,
            role: invite.role,
            host: host?.name ?? "somebody",
            link: link,
            expiresAt: invite.expiresAt
        ).secret
        return channels.sorted { $0.rawValue < $1.rawValue }.map { channel in
            (LetterID(at: invite.createdAt), channel, content)
        }
    }
}

extension FieldReader {
    /// A mail address, in its canonical form.
    fileprivate mutating func address(_ name: String) -> String? {
        guard let text = string(name, maximum: EmailAddress.maximumLength, required: false) else { return nil }
        guard let address = EmailAddress.canonical(text) else {
            fault(name, "must be a mail address")
            return nil
        }
        return address
    }
}
