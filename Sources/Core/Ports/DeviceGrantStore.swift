package import Bytes

/// Machines that wait for their person's confirmation, kept durably; of their codes only hashes.
package protocol DeviceGrantStore: AnyObject {
    /// Keeps a machine that asks; false when too many wait already, `conflict` when the user code is another's.
    func createDeviceGrant(
        _ grant: DeviceGrant,
        deviceHash: [UInt8],
        userCodeHash: [UInt8]
    ) async throws(StoreError) -> Bool
    /// The machine that waits under a user code; nil when there is none, or it was answered, or its time is over.
    func deviceGrant(userCodeHash: [UInt8], now: Timestamp) async throws(StoreError) -> DeviceGrant?
    /// Confirms or refuses a machine for a person, at a sign-in of theirs.
    ///
    /// Once: false when it does not wait any more, or when the sign-in or the account has ended meanwhile.
    func decide(
        userCodeHash: [UInt8],
        by user: UserID,
        at signIn: SignInID,
        isApproved: Bool,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool
    /// What a machine is told, which notes that it asked.
    func pollDevice(hash: [UInt8], client: String, now: Timestamp) async throws(StoreError) -> DevicePoll
}
