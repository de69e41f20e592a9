import Bytes
import Core

/// Model keys in PostgreSQL.
final class PostgresModelKeyStore: ModelKeyStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func setModelKey(
        _ key: ModelKey,
        sealed: [UInt8],
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) {
        let place = PostgresValue.text(key.owner.secretPlace.description)
        let (team, user) = (PostgresValue.id(key.owner.team), PostgresValue.id(key.owner.user))
        let group = PostgresGroup(
            scope,
            [
                SecretStatements.put([place, team, user, .bytes(sealed)]),
                ModelKeyStatements.put([
                    place, team, user, .text(key.provider.rawValue), .text(key.baseURL), .text(key.lastFour),
                    .id(key.setBy), .time(key.setAt), .time(key.verifiedAt),
                ]),
                AuditStatements.append([audit]),
            ]
        )
        do throws(StoreError) {
            _ = try await pool.run(group)
        } catch .failed(_, sqlState: "42501") {
            // The policy of the table: this team is not in the scope.
            throw .notFound
        }
    }

    func modelKey(of owner: ModelKeyOwner, scope: Scope) async throws(StoreError) -> ModelKey? {
        let call = ModelKeyStatements.select([.text(owner.secretPlace.description)])
        return try await pool.run(scope, call).first { row throws(StoreError) in
            ModelKey(
                owner: owner,
                provider: try row.word(),
                baseURL: try row.optional(),
                lastFour: try row.optional(),
                setBy: try row.value(),
                setAt: try row.value(),
                verifiedAt: try row.optional()
            )
        }
    }

    func removeModelKey(
        of owner: ModelKeyOwner,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        let values = [.text(owner.secretPlace.description)] + AuditStatements.values([audit])
        return try await pool.run(scope, ModelKeyStatements.remove(values)).count > 0
    }

    func hasModelKey(user: UserID, team: TeamID) async throws(StoreError) -> Bool {
        try await pool.run(.system, ModelKeyStatements.exists([.id(user), .id(team)])).count > 0
    }

    func grantModels(
        _ jobs: [(job: JobID, fallback: ModelKeyKind?)]
    ) async throws(StoreError) -> [GrantedModel] {
        let values: [PostgresValue] = [.ids(jobs.map(\.job)), .array(.text, jobs.map { .word($0.fallback) })]
        return try await pool.run(.system, ModelKeyStatements.grant(values)).rows { row throws(StoreError) in
            let (job, kind): (JobID, ModelKeyKind) = (try row.value(), try row.word())
            let provider: ModelProvider? = try row.optionalWord()
            let url: String? = try row.optional()
            let place: String? = try row.optional()
            let sealed: [UInt8]? = try row.optional()
            guard let provider, let place = place.flatMap({ SecretPlace($0) }), let sealed else {
                return GrantedModel(job: job, kind: kind, stored: nil)
            }
            let secret = StoredSecret(place: place, sealed: sealed)
            let stored = GrantedModel.Stored(provider: provider, baseURL: url, secret: secret)
            return GrantedModel(job: job, kind: kind, stored: stored)
        }
    }
}

extension ModelKeyOwner {
    fileprivate var team: TeamID? { if case .team(let id) = self { id } else { nil } }
    fileprivate var user: UserID? { if case .user(let id) = self { id } else { nil } }
}

/// The statements on model keys.
private enum ModelKeyStatements {
    static let put = PostgresStatement(
        "model_keys.put",
        """
        insert into model_keys (
            secret, team_id, user_id, provider, base_url, last_four, set_by, set_at, verified_at
        )
        values (
            $1::text, $2::uuid, $3::uuid, $4::text, $5::text, $6::text, $7::uuid, $8::timestamptz, $9::timestamptz
        )
        on conflict (secret) do update
        set provider = excluded.provider, base_url = excluded.base_url, last_four = excluded.last_four,
            set_by = excluded.set_by, set_at = excluded.set_at, verified_at = excluded.verified_at
        """
    )
    static let select = PostgresStatement(
        "model_keys.get",
        """
        select m.provider, m.base_url, m.last_four, m.set_by, m.set_at, m.verified_at
        from model_keys m where m.secret = $1::text
        """
    )
    static let remove = AuditStatements.audited("model_keys.remove", parameters: 1, SecretStatements.remove)
    static let exists = PostgresStatement(
        "model_keys.exists",
        "select 1 from model_keys m where m.user_id = $1::uuid or m.team_id = $2::uuid limit 1"
    )
    static let grant = PostgresStatement(
        "model_keys.grant",
        "select g.* from errand_grant_models($1::uuid[], $2::text[]) g"
    )
}
