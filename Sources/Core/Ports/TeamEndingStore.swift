package import Bytes

/// A job that was ended because its team is being deleted.
package struct EndedJob: Sendable, Equatable {
    package var job: JobID
    /// The worker to be told when it runs; nil when it only waited.
    package var worker: WorkerID?

    /// Names a job.
    package init(job: JobID, worker: WorkerID?) {
        self.job = job
        self.worker = worker
    }
}

/// How far the taking apart of a team has come.
package enum TeamPurge: String, Sendable {
    /// There is more to delete.
    case more
    /// It is gone; its audit log stays.
    case done
    /// It is not a team whose time is over.
    case unknown
}

/// The end of teams: what the sweeps do after an owner asked for a deletion.
package protocol TeamEndingStore: AnyObject {
    /// Ends jobs of teams that are being deleted, at most `limit`; fewer mean that none is left.
    func endJobs(now: Timestamp, limit: Int) async throws(StoreError) -> [EndedJob]
    /// The teams whose time to be taken back is over and where nothing runs any more.
    func endedTeams(now: Timestamp, limit: Int) async throws(StoreError) -> [TeamID]
    /// Deletes at most `limit` pieces of log and jobs without any, and when none is left projects, people and the team.
    ///
    /// What is deleted is bounded by the pieces, because one job may have any number of them.
    func purge(_ team: TeamID, now: Timestamp, limit: Int, audit: AuditDraft) async throws(StoreError) -> TeamPurge
    /// Forgets invitations that ended a month ago.
    func expireInvites(now: Timestamp, limit: Int) async throws(StoreError)
    /// The workspaces that a worker is still to remove.
    func removals(of worker: WorkerID, limit: Int) async throws(StoreError) -> [ProjectID]
    /// Notes that a worker has removed workspaces.
    func removed(_ projects: [ProjectID], by worker: WorkerID) async throws(StoreError)
}
