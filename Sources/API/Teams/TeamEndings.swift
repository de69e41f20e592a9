import Core

/// What follows when an owner has asked for a team's deletion; deleting and sweeping both go on from here.
///
/// Every step is a statement that takes what it finds, so several at once do no harm.
struct TeamEndings {
    /// Jobs that one transaction ends: some tens of milliseconds of the server's time.
    private static let batch = 500
    /// Jobs that one transaction takes apart with all their output: one may have gigabytes of it.
    private static let purgeBatch = 20
    /// Transactions that one turn of the sweep spends on it.
    private static let stepsPerTurn = 20

    private let services: Services

    init(_ services: Services) {
        self.services = services
    }

    /// Ends some jobs of teams that are being deleted and tells whoever watches or runs them; how many it were.
    func endJobs() async throws(StoreError) -> Int {
        let ended = try await services.endings.endJobs(now: services.time.now, limit: Self.batch)
        for end in ended {
            if let worker = end.worker {
                services.bus.publish(BusChannel.worker(worker), Array(end.job.description.utf8))
            } else {
                services.bus.publish(BusChannel.job(end.job), [])
            }
        }
        return ended.count
    }

    /// One turn of the sweep: jobs that are still to be ended, and teams whose time is over.
    func sweep() async throws(StoreError) {
        var steps = 0
        while steps < Self.stepsPerTurn, try await endJobs() > 0 { steps += 1 }
        let now = services.time.now
        try await services.endings.expireInvites(now: now, limit: Self.batch)
        var failure: StoreError?
        for team in try await services.endings.endedTeams(now: now, limit: 10) {
            do throws(StoreError) {
                repeat {
                    guard steps < Self.stepsPerTurn else { return }
                    steps += 1
                } while try await purge(team) == .more
            } catch {
                // One that cannot be taken apart does not keep the others.
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func purge(_ team: TeamID) async throws(StoreError) -> TeamPurge {
        let now = services.time.now
        let audit = AuditDraft(
            at: now,
            team: team,
            actor: .system,
            action: "team.purged",
            target: team.description
        )
        let purge = try await services.endings.purge(team, now: now, limit: Self.purgeBatch, audit: audit)
        if purge == .done { services.bus.publish(BusChannel.removals, []) }
        return purge
    }
}
