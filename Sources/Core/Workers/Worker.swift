package import Bytes

/// A worker machine as the database knows it.
package struct WorkerRecord: Sendable, Equatable {
    package var id: WorkerID
    package var name: String
    /// Raised at each new link session; a job names the epoch it was claimed under.
    package var epoch: Int64
    package var leaseUntil: Timestamp?
    package var slots: Int
    package var isRevoked: Bool
    package var createdAt: Timestamp

    /// Makes a worker from its stored parts.
    package init(
        id: WorkerID,
        name: String,
        epoch: Int64,
        leaseUntil: Timestamp?,
        slots: Int,
        isRevoked: Bool,
        createdAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.epoch = epoch
        self.leaseUntil = leaseUntil
        self.slots = slots
        self.isRevoked = isRevoked
        self.createdAt = createdAt
    }
}

/// What is lost when a worker is revoked.
package struct WorkerHoldings: Sendable, Equatable {
    package var name: String
    /// Projects whose workspace it has.
    package var projects: Int
    /// Jobs that it runs.
    package var running: Int
    /// Jobs that wait for one of these workspaces.
    package var waiting: Int

    /// Makes an account of a worker.
    package init(name: String, projects: Int, running: Int, waiting: Int) {
        self.name = name
        self.projects = projects
        self.running = running
        self.waiting = waiting
    }
}

/// A worker's session: the lease under which it claims.
package struct WorkerLease: Hashable, Sendable {
    package var worker: WorkerID
    package var epoch: Int64

    /// Names a lease.
    package init(worker: WorkerID, epoch: Int64) {
        self.worker = worker
        self.epoch = epoch
    }
}

/// The times that leases live by.
package enum LeaseTimes {
    /// One beat per worker, not per job.
    package static let heartbeatInterval = Duration.seconds(5)
    /// Four beats may be lost before the lease ends.
    package static let timeToLive = Duration.seconds(20)
    /// The worker stops this long before the lease ends, so that it never outlives it.
    package static let selfFenceMargin = Duration.seconds(4)
    /// A closed link may come back within this time before its jobs are requeued.
    package static let linkGrace = Duration.seconds(10)
}

/// Where a job may run: one ready set per team and class.
package enum PlacementClass: Hashable, Sendable, CustomStringConvertible {
    /// Any worker.
    case anywhere
    /// Only the worker that holds the project's workspace.
    case home(WorkerID)

    package var description: String {
        switch self {
        case .anywhere: "any"
        case .home(let worker): "home:\(worker)"
        }
    }

    /// Reads the text form.
    package init?(_ text: String) {
        if text == "any" {
            self = .anywhere
        } else if text.hasPrefix("home:"), let worker = WorkerID(text.dropFirst(5)) {
            self = .home(worker)
        } else {
            return nil
        }
    }
}
