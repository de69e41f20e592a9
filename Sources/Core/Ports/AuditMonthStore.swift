/// The months of the audit log, for the owner of its tables, who alone can drop one.
package protocol AuditMonthStore: AnyObject {
    /// The months that have or had entries, or may get some, oldest first.
    func months() async throws(StoreError) -> [AuditMonth]
    /// The last entry of each chain within a month, in the chains' order after one of them.
    func ends(of month: AuditMonth, after chain: AuditChain?, limit: Int) async throws(StoreError) -> [AuditHead]
    /// Drops the oldest month that is kept, which must be over, and records that in the same transaction.
    ///
    /// The anchors name every chain's last entry of it; with one missing nothing is dropped.
    func drop(_ month: AuditMonth, anchors: [AuditAnchor], audit: AuditDraft) async throws(StoreError)
}
