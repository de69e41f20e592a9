/// What a team may have only so much of.
package enum QuotaName: String, Sendable, CaseIterable {
    /// Jobs that wait, for whatever.
    case queuedJobs = "queued_jobs"
    /// Jobs that run or are paused; more of them wait.
    case runningJobs = "running_jobs"
    /// Bytes of finished logs as they are read, and of the archives that workspaces were filled with.
    case storedBytes = "stored_bytes"
    case projects
    case members
    /// Micro-USD that agents say they cost, each day in UTC.
    case spendPerDay = "spend_per_day"
}

/// What a team has of one thing, and may have.
package struct Quota: Sendable, Equatable {
    package var name: QuotaName
    package var used: Int64
    /// Nil for no limit.
    package var limit: Int64?
    /// The limit is the team's own, not the installation's.
    package var isOwn: Bool

    /// Describes a quota.
    package init(name: QuotaName, used: Int64, limit: Int64?, isOwn: Bool) {
        self.name = name
        self.used = used
        self.limit = limit
        self.isOwn = isOwn
    }
}

/// What a quota of a team is set to.
package enum QuotaSetting: Sendable, Equatable {
    /// What the installation grants everybody.
    case standard
    case unlimited
    case limit(Int64)

    /// More than this of anything is no limit: a thousand terabytes, or a thousand million dollars.
    package static let largest: Int64 = 1_000_000_000_000_000
}

/// Room that is reserved for an archive that is about to be sent.
package struct WorkspaceHold: Sendable, Equatable {
    /// Which project's workspace it is for.
    package var project: ProjectID
    /// The number of the reservation.
    package var number: Int64
    /// The bytes that the archive may have.
    package var most: Int64

    /// The longest archive: 2 GiB of contents in 200,000 entries, each with headers of up to 5 KiB.
    package static let largestArchive: Int64 = 3 << 30
    /// A reservation that nobody puts off for this long belongs to a server that has ended.
    package static let lifetime = Duration.seconds(900)

    /// Describes room.
    package init(project: ProjectID, number: Int64, most: Int64) {
        self.project = project
        self.number = number
        self.most = most
    }
}
