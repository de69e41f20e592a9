import Core

/// What follows when an owner has asked for a team's deletion; deleting and sweeping both go on from here.
///
/// Every step is a statement that takes what it finds, so several at once do no harm.
final class TeamEndings {
    /// Jobs that one transaction ends: some tens of milliseconds of the server's time.
    private static let batch = 500
    /// Pieces of log that one transaction deletes: 25 MiB, which keeps what waits behind it for a moment only.
    static let purgeLimit = 100
    /// Transactions that one turn of the sweep spends on it.
    private static let stepsPerTurn = 20
    /// Teams that are taken apart side by side.
    private static let teamsPerTurn = 10

    private let services: Services
    /// Pieces that the next step deletes: fewer after one that did not end, so that also a slow disk gets done.
    private(set) var purgeBatch = TeamEndings.purgeLimit

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
        var teams = try await services.endings.endedTeams(now: now, limit: Self.teamsPerTurn)
        var failure: StoreError?
        // A step of each in turn, so that a large one does not keep the others.
        while !teams.isEmpty {
            var unfinished: [TeamID] = []
            for team in teams {
                guard steps < Self.stepsPerTurn else { break }
                steps += 1
                do throws(StoreError) {
                    if try await purge(team) == .more { unfinished.append(team) }
                } catch {
                    // Nor does one that cannot be taken apart.
                    failure = error
                }
            }
            guard steps < Self.stepsPerTurn else { break }
            teams = unfinished
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
        let purge: TeamPurge
        do throws(StoreError) {
            purge = try await services.endings.purge(team, now: now, limit: purgeBatch, audit: audit)
        } catch {
            purgeBatch = max(1, purgeBatch / 2)
            throw error
        }
        purgeBatch = min(Self.purgeLimit, purgeBatch * 2)
        if purge == .done { services.bus.publish(BusChannel.removals, []) }
        return purge
    }
}
