package import Bytes

/// Worker machines, their credentials and leases, kept durably.
package protocol WorkerStore: AnyObject {
    /// Creates a worker that may enrol once with the token whose hash is given.
    func createWorker(
        _ id: WorkerID,
        name: String,
        enrolmentHash: [UInt8],
        expiresAt: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError)
    /// Exchanges an enrolment token for a credential, once; nil when unknown, used or expired.
    ///
    /// `audit` describes the act once it is known which worker it is.
    func enrol(
        enrolmentHash: [UInt8],
        credentialHash: [UInt8],
        now: Timestamp,
        audit: (WorkerID) -> AuditDraft
    ) async throws(StoreError) -> WorkerRecord?
    /// The worker that owns a credential; nil when unknown or revoked.
    func worker(credentialHash: [UInt8]) async throws(StoreError) -> WorkerRecord?
    /// Begins a link session: raises the epoch when `resuming` is nil or no longer current, and sets the lease.
    ///
    /// A worker that comes back with its current epoch keeps it, and with it its running jobs.
    func openSession(
        _ worker: WorkerID,
        resuming epoch: Int64?,
        slots: Int,
        now: Timestamp
    ) async throws(StoreError) -> WorkerLease
    /// Renews a lease; false when the epoch is no longer current or the worker is revoked.
    func beat(_ lease: WorkerLease, now: Timestamp) async throws(StoreError) -> Bool
    /// Shortens a lease to `until` (the link closed; it may come back before).
    func shorten(_ lease: WorkerLease, until: Timestamp) async throws(StoreError)
    /// All workers, oldest first.
    func workers() async throws(StoreError) -> [WorkerRecord]
    /// Revokes a worker; false when unknown.
    func revokeWorker(_ id: WorkerID, audit: AuditDraft) async throws(StoreError) -> Bool
}
