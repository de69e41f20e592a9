import Auth
import Bytes
import Core
package import Platform
import Store

/// `errand admin audit tail`: the newest entries of a chain, and those that come.
package struct AuditTail: Verb {
    package static let words = ["admin", "audit", "tail"]
    package static let usage = "[--chain CHAIN] [--lines N] [--follow] [options]"
    package static let summary = "Show the newest entries of a chain, by default the installation's."
    package static let options =
        [
            AuditChoice.chainOption, Option("--lines", "N", "how many, 1 to 1000 (default: 20)"),
            Option("--follow", "go on with what is written from now on"),
        ] + AuditChoice.filterOptions + [AdminOptions.data, AdminOptions.json]

    private static let pause = Duration.milliseconds(500)
    private static let page = 200

    private let arguments: Arguments
    private let choice: AuditChoice
    private let count: Int

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
        choice = try AuditChoice(arguments)
        count = try arguments.integer("--lines", in: 1...1_000) ?? 20
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await AdminSession.open(arguments, on: loop) { session in
            guard session.isServed || !arguments.has("--follow") else {
                throw CommandFailure("nothing is written while `errand up` is stopped: leave --follow away")
            }
            let store = session.store
            let chain = try await choice.chain(in: store) ?? .installation
            let details = [AuditDetail("by", "tail")] + choice.filter.details
            try await store.recordReading("audit.read", chain, details)
            let head = try await store.audit.head(of: chain)
            let shown = try await newest(of: chain, in: store)
            for entry in shown { try show(entry, terminal) }
            guard arguments.has("--follow") else { return ExitCode.done }
            var position = shown.last?.position ?? head?.position ?? .start
            while true {
                let entries = try await store.audit.stored(chain, after: position, limit: Self.page)
                for entry in entries where choice.filter.matches(entry) { try show(entry, terminal) }
                if let last = entries.last { position = last.position }
                if entries.count < Self.page { await loop.sleep(Self.pause) }
            }
        }
    }

    /// The newest entries that the filter lets through, oldest of them first.
    private func newest(of chain: AuditChain, in store: Store) async throws -> [StoredAuditEntry] {
        var found: [StoredAuditEntry] = []
        var before: AuditPosition? = .end
        while let position = before, found.count < count {
            let page = try await store.audit.entries(
                of: chain,
                matching: choice.filter,
                before: position,
                limit: count - found.count,
                scope: .system
            )
            found += page.items
            before = page.next
        }
        return found.reversed()
    }

    private func show(_ entry: StoredAuditEntry, _ terminal: Terminal) throws {
        if arguments.has("--json") {
            try terminal.deliver(AuditExportFormat.ndjson.line(entry))
        } else {
            try terminal.deliver(Array((Self.line(entry) + "\n").utf8))
        }
    }

    /// An entry as one line that no text of a stranger can steer.
    static func line(_ stored: StoredAuditEntry) -> String {
        let entry = AuditEntry(canonical: stored.canonical)
        let part = stored.personal.flatMap { AuditPersonalPart($0) }
        let details = (part?.details ?? []).map { "\($0.name)=\($0.value)" }
        let words: [String?] = [
            stored.position.recordedAt.rfc3339, "\(stored.position.seq)", stored.action,
            entry?.outcome.rawValue ?? "unreadable", stored.actor, stored.target, part?.address,
        ]
        return (words.compactMap { $0 } + details).map { VisibleText.line($0) }.joined(separator: "  ")
    }
}
