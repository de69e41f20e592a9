package import Core

/// The jobs that are being watched on one loop; viewers of one job share its live end.
package final class LogHub {
    let ports: LogPorts
    private let ringCapacity: Int
    private var watched: [JobID: WatchedJob] = [:]

    /// A hub over the ports of its loop; `ringCapacity` bounds the live bytes kept per watched job.
    package init(ports: LogPorts, ringCapacity: Int = 1 << 20) {
        self.ports = ports
        self.ringCapacity = ringCapacity
    }

    /// How many jobs are watched now.
    package var watchedJobs: Int { watched.count }

    /// A viewer of a job that has everything up to `position`.
    package func follow(
        _ job: JobID,
        after position: LogPosition,
        encodeJob: @escaping (Job) -> [UInt8]
    ) -> LogFollower {
        LogFollower(job: job, after: position, hub: self, encodeJob: encodeJob)
    }

    func join(_ job: JobID) -> WatchedJob {
        if let known = watched[job] {
            known.viewers += 1
            // The newcomer's stream begins with the row as it is now, not as it was for the others.
            known.ring.needsRefresh = true
            return known
        }
        let new = WatchedJob(job: job, ports: ports, ringCapacity: ringCapacity)
        new.viewers = 1
        watched[job] = new
        new.subscribe()
        return new
    }

    func leave(_ job: WatchedJob) {
        job.viewers -= 1
        job.wakeAll()
        guard job.viewers == 0 else { return }
        job.unsubscribe()
        watched[job.ring.job] = nil
    }
}
