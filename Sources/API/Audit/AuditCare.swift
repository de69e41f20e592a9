package import Auth
import Bytes
package import Core
import Crypto
package import Platform

/// Signs the audit log: one elected process of all replicas, every so many entries, every so often, and at its end.
///
/// It never signs what does not follow on everything that it signed before. What it finds to be otherwise it reports, and
/// signs nothing more of that chain.
package final class AuditCare {
    /// How often a chain is signed.
    package struct Rhythm: Sendable {
        package var entries: Int
        package var interval: Duration

        /// Signs after `entries` new entries, or one that is `interval` old.
        package init(entries: Int, interval: Duration) {
            self.entries = entries
            self.interval = interval
        }
    }

    private static let turn = Duration.seconds(5)
    private static let month = Duration.seconds(3_600)
    private static let page = 200
    /// Entries read at a time: about a millisecond of the loop.
    private static let stride = 100
    /// Chains whose edge is kept in mind; of others it is read again.
    private static let capacity = 2_000

    private let audit: any AuditStore
    private let checkpoints: any AuditCheckpointStore
    private let key: AuditKey
    private let publicKey: AuditPublicKey
    private let file: AuditCheckpointFile
    private let rhythm: Rhythm
    private let isElected: () async -> Bool
    private let time: any TimeSource
    private let loop: EventLoop
    private let onFault: (String) -> Void

    private var known: AuditCheckpointFile.Contents?
    private var edges: [AuditChain: AuditChainVerifier] = [:]
    /// Chains that are not signed any more, each for a reason that was reported.
    package private(set) var refused: Set<AuditChain> = []
    private var monthOpened: Instant?
    private var isStopped = false
    private var isRunning = false
    private let change = LoopCondition()

    /// Takes over the signing of a log; `onFault` hears of what must not be.
    package init(
        audit: any AuditStore,
        checkpoints: any AuditCheckpointStore,
        key: AuditKey,
        publicKey: AuditPublicKey,
        file: AuditCheckpointFile,
        rhythm: Rhythm,
        isElected: @escaping () async -> Bool,
        time: any TimeSource,
        loop: EventLoop,
        onFault: @escaping (String) -> Void
    ) {
        self.audit = audit
        self.checkpoints = checkpoints
        self.key = key
        self.publicKey = publicKey
        self.file = file
        self.rhythm = rhythm
        self.isElected = isElected
        self.time = time
        self.loop = loop
        self.onFault = onFault
    }

    /// Works until stopped; then signs what is left.
    package func run() async {
        isRunning = true
        while !isStopped {
            await step(entries: rhythm.entries, interval: rhythm.interval)
            if !isStopped { _ = await change.wait(timeout: Self.turn, on: loop) }
        }
        await step(entries: 1, interval: .zero)
        isRunning = false
        change.signalAll()
    }

    /// Has `run` sign what is left, and waits until it has.
    package func close() async {
        isStopped = true
        change.signalAll()
        while isRunning { await change.wait() }
    }

    /// One round over all chains; a store or a disk that is away is tried again at the next one.
    package func step(entries: Int, interval: Duration) async {
        guard await isElected() else { return forget() }
        do {
            if known == nil { try await remember() }
            if monthOpened.map({ loop.now - $0 > Self.month }) ?? true {
                try await checkpoints.openNextMonth()
                monthOpened = loop.now
            }
            var last: AuditChain?
            while true {
                let before = time.now.adding(.zero - interval)
                let due = try await checkpoints.due(
                    entries: entries,
                    signedBefore: before,
                    after: last,
                    limit: Self.page
                )
                for chain in due where !refused.contains(chain) { try await sign(chain) }
                last = due.last
                guard due.count == Self.page else { break }
            }
            await digest()
        } catch let fault as AuditFault {
            refuse(fault)
        } catch StoreError.unavailable {
            return
        } catch {
            onFault("the audit log could not be signed: \(error)")
        }
    }

    /// Signs a chain up to its present end.
    private func sign(_ chain: AuditChain) async throws {
        do {
            guard var edge = try await edge(of: chain) else { return }
            let before = edge.position
            try await walk(&edge)
            guard edge.position != before else { return }
            try await publish(edge)
            if edges.count >= Self.capacity { edges.removeAll(keepingCapacity: true) }
            edges[chain] = edge
        } catch let fault as AuditFault {
            refuse(fault)
        }
    }

    /// Verifies what follows, to the end or to a size.
    private func walk(_ edge: inout AuditChainVerifier, to size: UInt64 = .max) async throws {
        while edge.frontier.size < size {
            let room = min(UInt64(Self.stride), size - edge.frontier.size)
            let entries = try await audit.stored(edge.chain, after: edge.position, limit: Int(room))
            for entry in entries { try edge.add(entry) }
            if entries.count < Int(room) { return }
        }
    }

    /// Signs an edge: first into the file, which remembers it whatever becomes of the database.
    private func publish(_ edge: AuditChainVerifier) async throws {
        let checkpoint = try key.sign(edge)
        let (file, isWhole) = (file, known?.isWhole ?? false)
        // A full disk may take half of it.
        known?.isWhole = false
        let added = try await BlockingPool.run { try file.append(checkpoint, isWhole: isWhole) }
        known?.isWhole = true
        known?.length += added
        known?.last[edge.chain] = checkpoint
        try await save(checkpoint, edge)
    }

    /// Writes down what the file says, so that the next server that is elected need not read all of it.
    private func digest() async {
        guard let contents = known, file.isDigestDue(contents) else { return }
        // One that could not be written is tried again a stride later: nothing rests on it.
        known?.digested = contents.length
        let file = file
        do {
            try await BlockingPool.run { try file.digest(contents) }
        } catch {
            onFault("the digest of \(file.path) could not be written, the log is signed all the same: \(error)")
        }
    }

    private func save(_ checkpoint: AuditCheckpoint, _ edge: AuditChainVerifier) async throws(StoreError) {
        try await checkpoints.save(
            StoredAuditCheckpoint(
                chain: edge.chain,
                position: edge.position,
                hash: edge.hash,
                frontier: edge.frontier.bytes,
                note: checkpoint.note.description,
                signedAt: time.now
            )
        )
    }

    private func refuse(_ fault: AuditFault) {
        guard refused.insert(fault.chain).inserted else { return }
        onFault("the audit log is not what was signed; nothing more of this chain is signed: \(fault)")
    }

    private func forget() {
        known = nil
        edges = [:]
        monthOpened = nil
    }
}

extension AuditCare {
    /// Reads what was signed before, and holds every chain's length to it.
    private func remember() async throws {
        let (file, publicKey) = (file, publicKey)
        let contents = try await BlockingPool.run { try file.read(key: publicKey) }
        if contents.foreign > 0 {
            onFault("\(contents.foreign) pieces of \(file.path) are no checkpoints of this log")
        }
        if let fork = contents.fork {
            refuse(AuditFault(forked: fork))
        }
        var lengths: [AuditChain: Int64] = [:]
        var last: AuditChain?
        repeat {
            let heads = try await audit.heads(after: last, limit: Self.page)
            for head in heads { lengths[head.chain] = head.position.seq }
            last = heads.count == Self.page ? heads.last?.chain : nil
        } while last != nil
        for (chain, checkpoint) in contents.last where lengths[chain, default: 0] < Int64(clamping: checkpoint.size) {
            refuse(AuditFault(truncated: checkpoint, at: lengths[chain, default: 0]))
        }
        known = contents
    }

    /// Where a chain was signed last, once both memories of it agree; nil when it must not be signed.
    private func edge(of chain: AuditChain) async throws -> AuditChainVerifier? {
        let stored = try await checkpoints.lastCheckpoint(chain)
        // Whoever else may write there does not make this one blind.
        if let edge = edges[chain], stored?.position.seq == edge.position.seq { return edge }
        let anchor = try await checkpoints.anchor(chain)
        var edge = try AuditChainVerifier(chain, anchor: anchor)
        if let stored {
            guard let behind = AuditChainVerifier(behind: stored),
                let checkpoint = AuditCheckpoint(stored.note, key: publicKey), checkpoint.chain == chain,
                checkpoint.size == behind.frontier.size, checkpoint.root == behind.frontier.root
            else { throw AuditFault(unsigned: stored) }
            edge = behind
        } else if let anchor, known?.last[chain].map({ $0.size < UInt64(clamping: anchor.position.seq) }) ?? true {
            // Months were dropped, it says, and nothing that was signed confirms it: signing on would make it true.
            throw AuditFault(unconfirmed: anchor)
        }
        guard let filed = known?.last[chain], filed.size != edge.frontier.size else {
            if let filed = known?.last[chain], filed.root != edge.frontier.root { throw AuditFault(forked: filed) }
            return edge
        }
        if filed.size > edge.frontier.size {
            // The database forgot a checkpoint, by a crash between the two or because it was set back.
            try await walk(&edge, to: filed.size)
            guard edge.frontier.size == filed.size else {
                throw AuditFault(truncated: filed, at: edge.position.seq)
            }
            guard edge.frontier.root == filed.root else { throw AuditFault(rewritten: filed) }
            try await save(filed, edge)
            return edge
        }
        // Another process signed since this one's file ended.
        guard filed.size >= UInt64(clamping: anchor?.position.seq ?? 0) else { return edge }
        var past = try AuditChainVerifier(chain, anchor: anchor)
        try await walk(&past, to: filed.size)
        guard past.frontier.size == filed.size, past.frontier.root == filed.root else {
            throw AuditFault(rewritten: filed)
        }
        return edge
    }
}
