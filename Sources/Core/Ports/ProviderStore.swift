/// OpenID providers as the administrator has set them, kept durably.
package protocol ProviderStore: AnyObject {
    /// Adds a provider with its client secret, sealed; nil for a client that has none.
    ///
    /// `conflict` names `name`, `issuer`, or `master_key` when it is sealed under an unknown one; `notFound` says that its
    /// team is not there.
    func add(_ provider: OpenIDProvider, sealed: [UInt8]?, audit: AuditDraft) async throws(StoreError)
    /// Puts another client secret in the place of the present one; false when the provider is not there.
    func setSecret(of provider: OpenIDProvider, sealed: [UInt8], audit: AuditDraft) async throws(StoreError) -> Bool
    /// Removes a provider with its secret and the sign-ins under way; the identities stay, which it alone can prove.
    ///
    /// False when it is not there.
    func remove(_ provider: OpenIDProvider, audit: AuditDraft) async throws(StoreError) -> Bool
    /// All providers, by name.
    func providers() async throws(StoreError) -> [OpenIDProvider]
    /// The provider of a name.
    func provider(named name: String) async throws(StoreError) -> OpenIDProvider?
    /// A provider's sealed client secret; nil when it has none.
    func secret(of provider: OpenIDProvider) async throws(StoreError) -> StoredSecret?
}
