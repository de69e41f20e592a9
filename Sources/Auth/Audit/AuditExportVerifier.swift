import Core

/// Verifies an export from its lines alone, with checkpoints that were kept apart from it.
///
/// Chains stand one behind the other, each whole from its first entry on or from the line that says what was dropped.
package struct AuditExportVerifier {
    private let shelf: AuditCheckpointShelf
    private var current: AuditChainVerifier?
    /// The chain whose lines are passed over, because something was wrong with one.
    private var broken: AuditChain?
    private var lines = 0
    /// What was found, in the order of the chains in the export.
    package private(set) var reports: [AuditReport] = []
    /// The first line that is none, when it stands before any chain.
    package private(set) var unreadable: Int?

    /// A verifier that holds chains to these checkpoints.
    package init(_ shelf: AuditCheckpointShelf) {
        self.shelf = shelf
    }

    /// Verifies the next line, without its line break.
    package mutating func add(_ line: [UInt8]) {
        lines += 1
        if let anchor = AuditLine.anchor(line) { return begin(anchor.chain, behind: anchor) }
        guard let (entry, isTrue) = AuditLine.decode(line) else { return addUnreadable() }
        guard entry.chain != broken else { return }
        if current?.chain != entry.chain { begin(entry.chain) }
        guard var verifier = current else { return }
        do throws(AuditFault) {
            guard isTrue else {
                throw AuditFault(
                    entry.chain,
                    entry.position.seq,
                    .misstated,
                    "line \(lines) shows something else than the entry's bytes"
                )
            }
            try verifier.add(entry)
            current = verifier
        } catch {
            end(verifier, error)
        }
    }

    /// Verifies that the last chain ends where its checkpoints say.
    package mutating func finish() {
        guard var verifier = current else { return }
        do throws(AuditFault) {
            try verifier.finish()
            end(verifier, nil)
        } catch {
            end(verifier, error)
        }
    }

    private mutating func addUnreadable() {
        if let current {
            end(current, AuditFault(current.chain, current.position.seq + 1, .changed, "line \(lines) is no entry"))
        } else if broken == nil, unreadable == nil {
            unreadable = lines
        }
    }

    private mutating func begin(_ chain: AuditChain, behind anchor: AuditAnchor? = nil) {
        finish()
        broken = nil
        do throws(AuditFault) {
            if let place = reports.firstIndex(where: { $0.chain == chain }) {
                let next = reports[place].first + reports[place].entries
                broken = chain
                reports[place].fault =
                    reports[place].fault ?? AuditFault(chain, next, .repeated, "line \(lines) comes back to the chain")
                return
            }
            current = try AuditChainVerifier(chain, anchor: anchor, checkpoints: shelf[chain])
        } catch {
            broken = chain
            reports.append(AuditReport(error))
        }
    }

    private mutating func end(_ verifier: AuditChainVerifier, _ fault: AuditFault?) {
        reports.append(AuditReport(verifier, fault: fault))
        if fault != nil { broken = verifier.chain }
        current = nil
    }
}
