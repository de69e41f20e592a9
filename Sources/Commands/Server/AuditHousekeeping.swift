import Core
import Operations
import Platform
import Store

/// Drops the old months of the audit log as long as `errand up` runs, when a setting says how long they are kept.
final class AuditHousekeeping {
    /// A month is over once a month; a machine that is switched off at night is met within its day.
    private static let interval = Duration.seconds(6 * 3_600)

    private let days: Int
    private let directory: String
    private let databaseURL: Secret
    private let ownerURL: Secret
    private let log: StructuredLog
    private let loop: EventLoop
    private let stopped = LoopCondition()
    private var isStopped = false

    init(
        days: Int,
        directory: String,
        databaseURL: Secret,
        ownerURL: Secret,
        log: StructuredLog,
        loop: EventLoop
    ) {
        self.days = days
        self.directory = directory
        self.databaseURL = databaseURL
        self.ownerURL = ownerURL
        self.log = log
        self.loop = loop
    }

    /// Works until stopped.
    func run() async {
        while !isStopped {
            do {
                for month in try await prune() { log.info("audit log", .text("dropped", month)) }
            } catch {
                if !isStopped { log.error("audit log", .text("fault", "months were not dropped: \(error)")) }
            }
            if !isStopped { _ = await stopped.wait(timeout: Self.interval, on: loop) }
        }
    }

    func stop() {
        isStopped = true
        stopped.signalAll()
    }

    private func prune() async throws -> [String] {
        let evidence = try await AuditEvidence.load(directory: directory)
        let store = try Store(configuration: StoreConfiguration(url: databaseURL.reveal(), connections: 1), loop: loop)
        do {
            try await store.start()
            let pruning = AuditPruning(
                store: store,
                ownerURL: ownerURL,
                evidence: evidence,
                actor: .system,
                loop: loop
            )
            let dropped = try await pruning.run(days: days)
            await store.close()
            return dropped.map { AuditPruning.name($0) }
        } catch {
            await store.close()
            throw error
        }
    }
}
