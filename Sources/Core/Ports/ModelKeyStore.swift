/// The model that one job was granted, and whose it is.
package struct GrantedModel: Sendable, Equatable {
    /// A stored key, sealed.
    package struct Stored: Sendable, Equatable {
        package var provider: ModelProvider
        package var baseURL: String?
        package var secret: StoredSecret

        /// Describes a stored key.
        package init(provider: ModelProvider, baseURL: String?, secret: StoredSecret) {
            self.provider = provider
            self.baseURL = baseURL
            self.secret = secret
        }
    }

    package var job: JobID
    package var kind: ModelKeyKind
    /// Nil for the installation's own, which is in no database.
    package var stored: Stored?

    /// Describes a grant.
    package init(job: JobID, kind: ModelKeyKind, stored: Stored?) {
        self.job = job
        self.kind = kind
        self.stored = stored
    }
}

/// Model keys of people and teams, kept durably and sealed.
package protocol ModelKeyStore: AnyObject {
    /// Keeps a key in place of the one before; `conflict(field: "master_key")` when it is sealed under an unknown one.
    func setModelKey(
        _ key: ModelKey,
        sealed: [UInt8],
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError)
    /// What may be shown of a key; nil when there is none in the scope.
    func modelKey(of owner: ModelKeyOwner, scope: Scope) async throws(StoreError) -> ModelKey?
    /// Forgets a key; false when there was none.
    func removeModelKey(of owner: ModelKeyOwner, scope: Scope, audit: AuditDraft) async throws(StoreError) -> Bool
    /// Whether a job of this person in this team would find a key.
    func hasModelKey(user: UserID, team: TeamID) async throws(StoreError) -> Bool
    /// Chooses the key of each claimed job and notes in the job whose it is; `fallback` is what the caller has itself.
    ///
    /// A job that is not in the answer has none.
    func grantModels(_ jobs: [(job: JobID, fallback: ModelKeyKind?)]) async throws(StoreError) -> [GrantedModel]
}
