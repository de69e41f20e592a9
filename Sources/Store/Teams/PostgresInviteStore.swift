import Bytes
import Core

/// Invitations in PostgreSQL.
final class PostgresInviteStore: InviteStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func create(
        _ invite: Invite,
        tokenHash: [UInt8],
        letters: [LetterDraft],
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        let values: [PostgresValue] = [
            .id(invite.teamID), .id(invite.id), .bytes(tokenHash), .word(invite.role), .text(invite.email),
            .time(invite.createdAt), .time(invite.expiresAt), .integer(TeamLimits.openInvites),
        ]
        guard !letters.isEmpty else { return try await pool.judge(scope, InviteStatements.create, values, audit) }
        let mailed: [PostgresValue] = [
            .ids(letters.map(\.id)), .array(.text, letters.map { .word($0.channel) }),
            .array(.text, letters.map { .text($0.secret.place.description) }),
            .array(.bytes, letters.map { .bytes($0.secret.sealed) }), .integer(OutboxLimits.invitesPerTeam),
            .integer(OutboxLimits.invitesPerPerson), .integer(OutboxLimits.invitesPerRecipient),
        ]
        return try await pool.judge(scope, InviteStatements.createAndMail, values + mailed, audit)
    }

    func invites(
        of team: TeamID,
        before: InviteID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<Invite> {
        let values: [PostgresValue] = [.id(team), .id(before ?? .highest), .integer(limit + 1)]
        let found = try await pool.run(scope, InviteStatements.list(values)).rows { row throws(StoreError) in
            try Invite(&row)
        }
        return Page(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    func invite(tokenHash: [UInt8]) async throws(StoreError) -> Invite? {
        // Its holder is no member yet.
        try await pool.run(.system, InviteStatements.select([.bytes(tokenHash)])).first { row throws(StoreError) in
            try Invite(&row)
        }
    }

    func revoke(
        _ invite: InviteID,
        of team: TeamID,
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        try await pool.judge(scope, InviteStatements.revoke, [.id(team), .id(invite), .time(now)], audit)
    }

    func accept(
        tokenHash: [UInt8],
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        try await pool.judge(scope, InviteStatements.accept, [.bytes(tokenHash), .time(now)], audit)
    }
}

extension Invite {
    /// The columns that `init(_:)` reads.
    static let columns = """
        i.id, i.team_id, i.role, i.email, i.invited_by, i.created_at, i.expires_at, i.accepted_at, i.accepted_by, \
        i.revoked_at
        """

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            teamID: try row.value(),
            role: try row.word(),
            email: try row.optional(),
            invitedBy: try row.optional(),
            createdAt: try row.value(),
            expiresAt: try row.value()
        )
        acceptedAt = try row.optional()
        acceptedBy = try row.optional()
        revokedAt = try row.optional()
    }
}

/// The statements on invitations.
private enum InviteStatements {
    static let create = TeamStatements.act(
        "invites.create",
        8,
        """
        errand_invite(
            $1::uuid, $2::uuid, $3::bytea, $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::integer
        )
        """
    )
    static let createAndMail = TeamStatements.act(
        "invites.create_and_mail",
        15,
        """
        errand_mail_invite(
            $1::uuid, $2::uuid, $3::bytea, $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::integer,
            $9::uuid[], $10::text[], $11::text[], $12::bytea[], $13::integer, $14::integer, $15::integer
        )
        """
    )
    static let list = PostgresStatement(
        "invites.list",
        """
        select \(Invite.columns) from invites i
        where i.team_id = $1::uuid and i.id < $2::uuid
        order by i.id desc limit $3::integer
        """
    )
    static let select = PostgresStatement(
        "invites.of_token",
        "select \(Invite.columns) from invites i where i.token_hash = $1::bytea"
    )
    static let revoke = TeamStatements.act(
        "invites.revoke",
        3,
        "errand_revoke_invite($1::uuid, $2::uuid, $3::timestamptz)"
    )
    static let accept = TeamStatements.act(
        "invites.accept",
        2,
        "errand_accept_invite($1::bytea, $2::timestamptz)"
    )
}
