package import Bytes

/// Clients that teams have registered, and the codes that people gave them, kept durably; of secrets only hashes.
package protocol OAuthClientStore: AnyObject {
    /// Keeps a client; false when the team has as many as it may.
    func createClient(
        _ client: OAuthClient,
        secretHash: [UInt8]?,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool
    /// The clients of a team, oldest first; empty when out of scope.
    func clients(of team: TeamID, scope: Scope) async throws(StoreError) -> [OAuthClient]
    /// One client with the hash of its secret; nil when unknown or out of scope.
    func client(
        _ id: OAuthClientID,
        scope: Scope
    ) async throws(StoreError) -> (client: OAuthClient, secretHash: [UInt8]?)?
    /// Puts another secret in the place of a confidential client's; false when there is none such in the team.
    func replaceSecret(
        of id: OAuthClientID,
        team: TeamID,
        hash: [UInt8],
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool
    /// Removes a client and ends every sign-in by it; answers with those, nil when unknown or out of scope.
    func removeClient(
        _ id: OAuthClientID,
        of team: TeamID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]?
    /// Keeps a code that a person gave.
    func createCode(_ code: AuthorizationCode, hash: [UInt8], audit: AuditDraft) async throws(StoreError)
    /// The code of a hash, used or not, for as long as it is remembered.
    func code(hash: [UInt8]) async throws(StoreError) -> AuthorizationCode?
}
