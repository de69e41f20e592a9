import Bytes
import Core

extension UserIdentity {
    /// The columns that `init(_:)` reads.
    static let columns = "i.id, i.user_id, i.issuer, i.subject, i.email, i.linked_at, i.last_used_at"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            userID: try row.value(),
            issuer: try row.value(),
            subject: try row.value(),
            email: try row.optional(),
            linkedAt: try row.value(),
            lastUsedAt: try row.value()
        )
    }
}

extension ProviderSignIn {
    /// The columns that `init(_:)` reads.
    static let columns = """
        s.provider_id, s.salt, s.challenge, s.redirect, s.client_state, s.wants_fresh, s.user_id, s.sign_in_id, \
        s.started_at, s.expires_at
        """

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        let (provider, salt): (ProviderID, [UInt8]) = (try row.value(), try row.value())
        let (challenge, redirect): (String, String) = (try row.value(), try row.value())
        let (clientState, wantsFresh): (String?, Bool) = (try row.optional(), try row.value())
        let (user, signIn): (UserID?, SignInID?) = (try row.optional(), try row.optional())
        var links: IdentityLinking?
        if let user, let signIn { links = IdentityLinking(user: user, signIn: signIn) }
        self.init(
            provider: provider,
            salt: salt,
            challenge: challenge,
            redirect: redirect,
            clientState: clientState,
            wantsFresh: wantsFresh,
            links: links,
            startedAt: try row.value(),
            expiresAt: try row.value()
        )
    }
}

extension ProviderGrant {
    /// The columns that `init(_:)` reads.
    static let columns = """
        c.provider_id, c.user_id, c.challenge, c.redirect, c.authenticated_at, c.link_sign_in, c.link_issuer, \
        c.link_subject, c.link_email, c.expires_at, c.used_at
        """

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        let (provider, user): (ProviderID, UserID) = (try row.value(), try row.value())
        let (challenge, redirect): (String, String) = (try row.value(), try row.value())
        var purpose = Purpose.signIn(authenticatedAt: try row.optional())
        let (signIn, issuer): (SignInID?, String?) = (try row.optional(), try row.optional())
        let (subject, email): (String?, String?) = (try row.optional(), try row.optional())
        if let signIn, let issuer, let subject {
            purpose = .link(signIn, issuer: issuer, subject: subject, email: email)
        }
        self.init(
            provider: provider,
            user: user,
            purpose: purpose,
            challenge: challenge,
            redirect: redirect,
            expiresAt: try row.value(),
            usedAt: try row.optional()
        )
    }
}

/// The statements on identities and on sign-ins by providers.
enum IdentityStatements {
    static let begin = PostgresStatement(
        "provider_sign_ins.insert",
        """
        insert into provider_sign_ins (
            state_hash, provider_id, salt, challenge, redirect, client_state, wants_fresh, user_id, sign_in_id,
            started_at, expires_at
        )
        values (
            $1::bytea, $2::uuid, $3::bytea, $4::text, $5::text, $6::text, $7::boolean, $8::uuid, $9::uuid,
            $10::timestamptz, $11::timestamptz
        )
        """
    )
    /// Taken out in any case; honoured only in its time.
    static let take = PostgresStatement(
        "provider_sign_ins.take",
        """
        with s as (delete from provider_sign_ins where state_hash = $1::bytea returning *)
        select \(ProviderSignIn.columns) from s where s.expires_at > $2::timestamptz
        """
    )
    static let user = PostgresStatement(
        "user_identities.user",
        """
        with i as (
            update user_identities set last_used_at = greatest(last_used_at, $3::timestamptz)
            where issuer = $1::text and subject = $2::text
            returning user_id
        )
        select \(User.columns) from i join users u on u.id = i.user_id
        """
    )
    static let list = PostgresStatement(
        "user_identities.of_user",
        """
        select \(UserIdentity.columns) from user_identities i where i.user_id = $1::uuid order by i.linked_at, i.id
        """
    )
    static let insert = PostgresStatement(
        "user_identities.insert",
        """
        insert into user_identities (id, user_id, issuer, subject, email, linked_at, last_used_at)
        values ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::timestamptz, $7::timestamptz)
        """
    )
    /// The first password that anybody chooses will be the first generation.
    static let withoutPassword = PostgresStatement(
        "users.without_password",
        "update users set password_generation = 0 where id = $1::uuid"
    )
    static let delete = AuditStatements.audited(
        "user_identities.delete",
        parameters: 2,
        "delete from user_identities where id = $1::uuid and user_id = $2::uuid returning id"
    )
    static let issue = PostgresStatement(
        "provider_codes.insert",
        """
        insert into provider_codes (
            hash, provider_id, user_id, challenge, redirect, expires_at, authenticated_at, link_sign_in, link_issuer,
            link_subject, link_email
        )
        values (
            $1::bytea, $2::uuid, $3::uuid, $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::uuid, $9::text,
            $10::text, $11::text
        )
        """
    )
    static let grant = PostgresStatement(
        "provider_codes.get",
        "select \(ProviderGrant.columns) from provider_codes c where c.hash = $1::bytea"
    )
    static let redeem = PostgresStatement(
        "provider_codes.redeem",
        """
        update provider_codes set used_at = $2::timestamptz
        where hash = $1::bytea and used_at is null and expires_at > $2::timestamptz
        """
    )
    static let bind = PostgresStatement(
        "provider_codes.bind",
        "update provider_codes set opened = $2::uuid where hash = $1::bytea returning is_reused"
    )
    static let noteReuse = PostgresStatement(
        "provider_codes.note_reuse",
        "update provider_codes set is_reused = true where hash = $1::bytea returning opened"
    )
    static let expire = PostgresStatement(
        "provider_sign_ins.expire",
        "select errand_expire_provider_sign_ins($1::timestamptz, $2::integer)"
    )
}
