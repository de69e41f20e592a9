import Bytes
import Core

extension OAuthClient {
    /// The columns that `init(_:)` reads.
    static let columns = """
        c.id, c.team_id, c.name, array_to_string(c.redirect_uris, ' '), array_to_string(c.scopes, ' '), \
        c.is_confidential, c.created_by, c.created_at
        """

    /// Reads `columns`; no address holds a space, and a scope of a later version is one that this one does not give.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            team: try row.value(),
            name: try row.value(),
            redirectURIs: try row.value(String.self).split(separator: " ").map(String.init),
            scopes: KeyScope.read(try row.value()),
            isConfidential: try row.value(),
            createdBy: try row.value(),
            createdAt: try row.value()
        )
    }
}

extension AuthorizationCode {
    /// The columns that `init(_:)` reads.
    static let columns = """
        a.client_id, a.user_id, a.redirect_uri, a.challenge, array_to_string(a.scopes, ' '), a.authenticated_at, \
        a.created_at, a.expires_at, a.sign_in_id
        """

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            client: try row.value(),
            user: try row.value(),
            redirectURI: try row.value(),
            challenge: try row.value(),
            scopes: KeyScope.read(try row.value()),
            authenticatedAt: try row.value(),
            createdAt: try row.value(),
            expiresAt: try row.value()
        )
        signIn = try row.optional()
    }
}

extension KeyScope {
    /// Scopes as they stand in one column; one of a later version is none that this one gives.
    static func read(_ text: String) -> Set<KeyScope> {
        Set(text.split(separator: " ").compactMap { KeyScope(rawValue: String($0)) })
    }
}

/// The statements on registered clients and their codes.
enum OAuthClientStatements {
    /// Many at once may exceed the limit by as many: it bounds a listing, nothing else.
    static let insert = AuditStatements.audited(
        "oauth_clients.insert",
        parameters: 10,
        """
        insert into oauth_clients (
            id, team_id, name, redirect_uris, scopes, is_confidential, secret_hash, created_by, created_at
        )
        select $1::uuid, $2::uuid, $3::text, $4::text[], $5::text[], $6::boolean, $7::bytea, $8::uuid, $9::timestamptz
        where (select count(*) from oauth_clients c where c.team_id = $2::uuid) < $10::integer
        returning id
        """
    )
    static let list = PostgresStatement(
        "oauth_clients.of_team",
        "select \(OAuthClient.columns) from oauth_clients c where c.team_id = $1::uuid order by c.id limit $2::integer"
    )
    static let select = PostgresStatement(
        "oauth_clients.get",
        "select \(OAuthClient.columns), c.secret_hash from oauth_clients c where c.id = $1::uuid"
    )
    static let replaceSecret = AuditStatements.audited(
        "oauth_clients.replace_secret",
        parameters: 3,
        """
        update oauth_clients c set secret_hash = $3::bytea
        where c.id = $1::uuid and c.team_id = $2::uuid and c.is_confidential
        returning c.id
        """
    )
    /// The keys of its sign-ins go with it, and with them all that they open.
    static let remove = AuditStatements.audited(
        "oauth_clients.remove",
        parameters: 2,
        "delete from oauth_clients c where c.id = $1::uuid and c.team_id = $2::uuid returning c.id"
    )
    static let endSignIns = PostgresStatement(
        "sign_ins.end_of_client",
        """
        update sign_ins s set revoked_at = $2::timestamptz
        where s.client_id = $1::text and s.revoked_at is null and s.expires_at > $2::timestamptz
        returning s.id
        """
    )
    static let insertCode = AuditStatements.audited(
        "authorization_codes.insert",
        parameters: 9,
        """
        insert into authorization_codes (
            hash, client_id, user_id, redirect_uri, challenge, scopes, authenticated_at, created_at, expires_at
        )
        values (
            $1::bytea, $2::uuid, $3::uuid, $4::text, $5::text, $6::text[], $7::timestamptz, $8::timestamptz,
            $9::timestamptz
        )
        returning client_id
        """
    )
    static let selectCode = PostgresStatement(
        "authorization_codes.get",
        "select \(AuthorizationCode.columns) from authorization_codes a where a.hash = $1::bytea"
    )
    /// Used up for the sign-in whose row comes next in the transaction: without this there is none.
    static let redeemCode = PostgresStatement(
        "authorization_codes.redeem",
        """
        update authorization_codes a set sign_in_id = $3::uuid
        where a.hash = $1::bytea and a.user_id = $2::uuid and a.sign_in_id is null and a.expires_at > $4::timestamptz
        """
    )
    /// What the sign-in may do stands in the form of a key without a secret, under the same walls as every key.
    static let insertKey = PostgresStatement(
        "authorization_codes.insert_key",
        """
        insert into api_keys (
            id, hash, hint, team_id, issued_by, name, scopes, created_at, expires_at, sign_in_id, client_id
        )
        select s.id, $3::bytea, 'app', c.team_id, a.user_id, c.name, a.scopes, s.created_at, s.expires_at, s.id, c.id
        from authorization_codes a
        join oauth_clients c on c.id = a.client_id
        join sign_ins s on s.id = a.sign_in_id
        where a.hash = $1::bytea and s.id = $2::uuid
        """
    )
}
