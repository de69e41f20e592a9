import Bytes
import Core

@testable import Store

// The acts on sign-ins of tests that are not about their records.

extension AccountStore {
    func createSignIn(_ signIn: SignIn, refreshHash: [UInt8]) async throws(StoreError) {
        try await createSignIn(
            signIn,
            credential: .refresh(hash: refreshHash),
            grant: nil,
            passwordGeneration: nil,
            traits: [SignInTrait(.client, "test")],
            notice: Notice(.newDevice, at: signIn.createdAt, signIn: signIn.id),
            audit: [.sample("sign_in.opened", target: signIn.id.description)]
        )
    }

    func revoke(_ signIn: SignInID, now: Timestamp) async throws(StoreError) {
        try await revoke(signIn, now: now, audit: .sample("sign_in.revoked"))
    }

    func revoke(_ signIn: SignInID, of user: UserID, now: Timestamp) async throws(StoreError) -> Bool {
        try await revoke(signIn, of: user, now: now, audit: .sample("sign_in.revoked"))
    }

    func revokeAll(of user: UserID, except kept: SignInID?, now: Timestamp) async throws(StoreError) -> [SignInID] {
        try await revokeAll(of: user, except: kept, now: now, audit: .sample("sign_in.revoked"))
    }
}
