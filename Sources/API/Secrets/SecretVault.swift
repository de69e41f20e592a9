package import Auth
package import Core
import HTTP

/// Seals and opens secrets with the master keys of this process.
package struct SecretVault {
    private let keys: any MasterKeys
    private let store: any SecretStore

    /// Joins the keys with the store that knows their names.
    package init(keys: any MasterKeys, store: any SecretStore) {
        self.keys = keys
        self.store = store
    }

    /// Seals a secret for its place and has it kept, in a transaction of the noun's own store.
    ///
    /// It is sealed under what the file says now; under a key that was forgotten meanwhile the database keeps nothing.
    package func keep(
        _ secret: ClearSecret,
        in place: SecretPlace,
        _ put: ([UInt8]) async throws(StoreError) -> Void
    ) async throws {
        try await keep([(secret, place)]) { sealed throws(StoreError) in
            for secret in sealed { try await put(secret.sealed) }
        }
    }

    /// The same for several secrets of one transaction.
    package func keep(
        _ secrets: [(secret: ClearSecret, place: SecretPlace)],
        _ put: ([StoredSecret]) async throws(StoreError) -> Void
    ) async throws {
        let sealed = try seal(secrets, under: try await ring())
        do throws(StoreError) {
            return try await put(sealed)
        } catch {
            guard error == .conflict(field: "master_key") else { throw error }
        }
        // The file was rotated by hand, or between our reading and our writing.
        let ring = try await ring()
        guard try await store.register(ring.current.id, of: ring.keys.map(\.id)).isEmpty else {
            throw ProblemError(.secretsUnavailable)
        }
        try await put(try seal(secrets, under: ring))
    }

    /// Opens what is stored; a key that is not known yet is looked for in the file once.
    package func open(_ secret: StoredSecret) async throws(SealError) -> ClearSecret {
        let sealed = try SealedSecret(secret.sealed)
        do throws(SealError) {
            return try sealed.open(in: secret.place, with: keys.ring)
        } catch {
            guard error == .unknownMasterKey(sealed.masterKey), let ring = try? await keys.reread() else { throw error }
            return try sealed.open(in: secret.place, with: ring)
        }
    }

    private func ring() async throws -> MasterKeyRing {
        do {
            return try await keys.reread()
        } catch {
            throw ProblemError(.secretsUnavailable)
        }
    }

    private func seal(
        _ secrets: [(secret: ClearSecret, place: SecretPlace)],
        under ring: MasterKeyRing
    ) throws -> [StoredSecret] {
        do throws(SealError) {
            return try secrets.map { secret, place throws(SealError) in
                StoredSecret(place: place, sealed: try SealedSecret.seal(secret, in: place, under: ring).bytes)
            }
        } catch {
            throw ProblemError(.secretsUnavailable)
        }
    }
}
