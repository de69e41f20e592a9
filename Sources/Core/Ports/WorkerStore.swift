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
    /// The same token with the same credential is answered again as before: the first answer may have been lost.
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
    /// What would be lost with a worker; nil when unknown.
    func holdings(of id: WorkerID) async throws(StoreError) -> WorkerHoldings?
    /// Revokes a worker; false when unknown.
    func revokeWorker(_ id: WorkerID, audit: AuditDraft) async throws(StoreError) -> Bool
    /// Fails jobs that wait for workspaces which revoked workers held, at most `limit`, and names them.
    ///
    /// A project of which nothing is left to wait has no home any more: the next job or upload gives it a new one.
    func settleRevoked(now: Timestamp, limit: Int) async throws(StoreError) -> [JobID]
}
