package import Auth
package import Core

/// Verifies the chains of the audit log where they are kept, also while entries are added to them.
package struct AuditInspection {
    /// Entries read at a time: some milliseconds of the loop.
    private static let stride = 500
    private static let page = 200
    /// Months may be dropped while their entries are read; nobody does so twice in a row.
    private static let attempts = 3

    private let audit: any AuditStore
    private let checkpoints: any AuditCheckpointStore
    private let key: AuditPublicKey
    private let shelf: AuditCheckpointShelf

    /// Verifies a log with its public key, and with checkpoints that were kept outside the database.
    package init(
        _ audit: any AuditStore,
        _ checkpoints: any AuditCheckpointStore,
        key: AuditPublicKey,
        shelf: AuditCheckpointShelf
    ) {
        self.audit = audit
        self.checkpoints = checkpoints
        self.key = key
        self.shelf = shelf
    }

    /// Verifies every chain that left a trace in the database or among the checkpoints, and tells of each.
    package func inspectAll(_ tell: (AuditReport) -> Void) async throws {
        var signed = Set(shelf.chains)
        var last: AuditChain?
        repeat {
            let chains = try await checkpoints.chains(after: last, limit: Self.page)
            for chain in chains {
                signed.remove(chain)
                tell(try await inspect(chain))
            }
            last = chains.count == Self.page ? chains.last : nil
        } while last != nil
        for chain in signed.sorted() { tell(try await inspect(chain)) }
    }

    /// Verifies one chain from its beginning to its present end.
    package func inspect(_ chain: AuditChain) async throws -> AuditReport {
        var attempt = 1
        while true {
            let anchor = try await checkpoints.anchor(chain)
            let report = try await inspect(chain, behind: anchor)
            guard report.fault != nil, attempt < Self.attempts, try await checkpoints.anchor(chain) != anchor else {
                return report
            }
            attempt += 1
        }
    }

    private func inspect(_ chain: AuditChain, behind anchor: AuditAnchor?) async throws -> AuditReport {
        var verifier: AuditChainVerifier
        do {
            verifier = try AuditChainVerifier(
                chain,
                anchor: anchor,
                checkpoints: try await checkpoints(of: chain)
            )
        } catch let fault as AuditFault {
            return AuditReport(fault)
        }
        do {
            try await finish(&verifier)
            return AuditReport(verifier, fault: nil)
        } catch let fault as AuditFault {
            return AuditReport(verifier, fault: fault)
        }
    }

    /// Verifies a whole chain and gives where it stood at one of its entries; throws the fault, if there is one.
    package func edge(of chain: AuditChain, at position: AuditPosition) async throws -> AuditChainVerifier {
        var verifier = try AuditChainVerifier(
            chain,
            anchor: try await checkpoints.anchor(chain),
            checkpoints: try await checkpoints(of: chain)
        )
        try await walk(&verifier, to: position.seq)
        guard verifier.position == position else { throw AuditFault(chain, at: verifier.position, not: position) }
        let edge = verifier
        try await finish(&verifier)
        return edge
    }

    /// Goes on to the chain's present end.
    private func finish(_ verifier: inout AuditChainVerifier) async throws {
        // Read after the checkpoints, so that it names no fewer entries than any of them.
        let head = try await audit.head(of: verifier.chain) ?? Self.nothing(verifier.chain)
        try await walk(&verifier, to: head.position.seq)
        try verifier.finish(head: head)
        try await demandNothing(behind: verifier)
    }

    private func walk(_ verifier: inout AuditChainVerifier, to end: Int64) async throws {
        while verifier.position.seq < end {
            let room = Int(min(Int64(Self.stride), end - verifier.position.seq))
            let entries = try await audit.stored(verifier.chain, after: verifier.position, limit: room)
            for entry in entries { try verifier.add(entry) }
            guard entries.count == room else { return }
        }
    }

    /// What follows on the head that was read must have come since.
    private func demandNothing(behind verifier: AuditChainVerifier) async throws {
        let next = try await audit.stored(verifier.chain, after: verifier.position, limit: 1).first
        guard let next else { return }
        let head = try await audit.head(of: verifier.chain) ?? Self.nothing(verifier.chain)
        guard head.position < next.position else { return }
        throw AuditFault(added: next, behind: head)
    }

    /// The checkpoints from outside, and those in the database, each of which must be one that the log's key signed.
    private func checkpoints(of chain: AuditChain) async throws -> [AuditCheckpoint] {
        var known = shelf
        var size: Int64 = 0
        while true {
            let stored = try await checkpoints.checkpoints(chain, above: size, limit: Self.page)
            for one in stored {
                guard let checkpoint = AuditCheckpoint(one.note, key: key), checkpoint.chain == chain,
                    checkpoint.size == UInt64(clamping: one.position.seq)
                else { throw AuditFault(unsigned: one) }
                known.add(checkpoint)
            }
            guard stored.count == Self.page, let last = stored.last else { return known[chain] }
            size = last.position.seq
        }
    }

    /// The end of a chain that has none.
    private static func nothing(_ chain: AuditChain) -> AuditHead {
        AuditHead(chain: chain, position: .start, hash: StoredAuditEntry.noHash)
    }
}
