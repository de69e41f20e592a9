import Bytes
import Core
import Store

/// Which entries a verb is about, as its options say.
struct AuditChoice: Sendable {
    /// The option that names a chain.
    static let chainOption = Option(
        "--chain",
        "CHAIN",
        "`installation`, or a team's id or name"
    )
    /// The options that narrow it down.
    static let filterOptions = [
        Option("--from", "TIME", "only what was written then or later, such as 2026-11-01 or 2026-11-01T08:00:00Z"),
        Option("--to", "TIME", "only what was written before"),
        Option("--actor", "ACTOR", "only what this actor did, by its id"),
        Option("--action", "ACTION", "only acts of this name, such as job.submitted"),
        Option("--target", "TARGET", "only what was done to this, by its id"),
    ]

    let filter: AuditFilter
    private let named: String?

    init(_ arguments: Arguments) throws(UsageError) {
        named = arguments.value(Self.chainOption.name)
        var filter = AuditFilter()
        filter.from = try Self.time("--from", arguments)
        filter.to = try Self.time("--to", arguments)
        filter.actor = arguments.value("--actor")
        filter.action = arguments.value("--action")
        filter.target = arguments.value("--target")
        self.filter = filter
    }

    /// The chain that was named; nil for all of them.
    ///
    /// A team that is gone is found by its id: its chain stays.
    func chain(in store: Store) async throws -> AuditChain? {
        guard let named else { return nil }
        if let chain = AuditChain(named) { return chain }
        return .team(try await AdminTeams.find(named, in: store).id)
    }

    private static func time(_ name: String, _ arguments: Arguments) throws(UsageError) -> Timestamp? {
        guard let text = arguments.value(name) else { return nil }
        guard let time = Timestamp(rfc3339: text) ?? Timestamp(rfc3339: text + "T00:00:00Z") else {
            throw UsageError("\(name) must be a time such as 2026-11-01 or 2026-11-01T08:00:00Z")
        }
        return time
    }
}

extension Store {
    /// Records that the administrator of this machine reads the audit log.
    func recordReading(_ action: String, _ chain: AuditChain?, _ details: [AuditDetail]) async throws(StoreError) {
        try await audit.record([
            .administration(action, team: chain?.team, target: chain?.description ?? "all chains", details: details)
        ])
    }

    /// All chains of the audit log, a page at a time.
    func eachAuditChain(_ body: (AuditChain) async throws -> Void) async throws {
        var last: AuditChain?
        repeat {
            let chains = try await auditCheckpoints.chains(after: last, limit: 200)
            for chain in chains { try await body(chain) }
            last = chains.count == 200 ? chains.last : nil
        } while last != nil
    }
}
