package import Core

/// The API's side of one attempt's incoming records: live at once, durable in batches, acknowledged when durable.
///
/// `receive` takes records as they come off the link; `run`, in a task of its own, writes them until `close`.
package final class LogIngest {
    /// What became of records just received.
    package enum Receipt: Sendable, Equatable {
        /// Taken, or known before.
        case accepted
        /// Records are missing before these: send again from this one.
        case expected(UInt64)
        /// Another attempt owns the job, or the ingest is closed.
        case stale
        /// The worker sent more than its credit; an honest one never does.
        case overCredit
    }

    /// What the worker is to be told.
    package enum Answer: Sendable, Equatable {
        /// Everything up to this record is durable; the worker frees its spool to there.
        case durable(UInt64)
        /// Storage stands elsewhere: send again from this record.
        case expected(UInt64)
        /// The attempt is not the job's current one: discard everything.
        case stale
        /// Storage cannot take records now; they are kept and tried again.
        case delayed(StoreError)
    }

    /// The credit of one attempt: unacknowledged bytes, enough to keep storage busy at 150 MB/s over 20 ms.
    package static let creditBytes = 4 << 20
    /// A batch this large is written at once.
    static let batchBytes = 256 << 10
    /// One append takes at most about this much, however much has gathered.
    static let appendBytes = 1 << 20
    /// The longest that a record waits for company.
    static let batchDelay = Duration.milliseconds(250)
    private static let retryDelay = Duration.seconds(1)
    /// A quiet attempt's ingest is given up after this; its next records begin another.
    private static let idleWait = Duration.seconds(60)

    private let attempt: AttemptID
    private let ports: LogPorts
    private let waiter: any Waiter
    private var pending: [LogRecord] = []
    private var pendingBytes = 0
    private var isFlushDue = false
    private var isStale = false
    private var isClosed = false
    /// Whether `run` has returned because nothing came for long: another ingest must take what comes now.
    package private(set) var isRetired = false
    /// The record that must come next.
    package private(set) var next: UInt64

    /// Begins after `durable`, taken from storage now and not remembered from before.
    package init(_ attempt: AttemptID, durable: UInt64, ports: LogPorts) {
        self.attempt = attempt
        self.ports = ports
        next = durable + 1
        waiter = ports.makeWaiter()
    }

    /// Takes records: repeats are dropped, a jump is refused, the rest goes live and waits to be written.
    package func receive(_ records: [LogRecord]) async -> Receipt {
        guard !isStale, !isClosed else { return .stale }
        guard !isRetired else { return .expected(next) }
        let fresh = records.drop { $0.seq < next }
        guard let first = fresh.first else { return .accepted }
        guard first.seq == next, zip(fresh, fresh.dropFirst()).allSatisfy({ $1.seq == $0.seq + 1 }) else {
            return .expected(next)
        }
        let bytes = fresh.reduce(0) { $0 + $1.bytes.count + LogRecordCodec.overhead }
        guard pendingBytes + bytes <= Self.creditBytes + LogRecord.maximumBytes else { return .overCredit }
        let wasEmpty = pending.isEmpty
        next = first.seq + UInt64(fresh.count)
        pending += fresh
        pendingBytes += bytes
        if wasEmpty || pendingBytes >= Self.batchBytes { waiter.signal() }
        await ports.tail.append(Array(fresh), to: attempt)
        return .accepted
    }

    /// Writes what is pending without waiting for more; the worker says so when its log has ended.
    package func flush() {
        isFlushDue = true
        waiter.signal()
    }

    /// Ends the ingest: what is pending is written once more if storage takes it, then `run` returns.
    package func close() {
        isClosed = true
        waiter.signal()
    }

    /// Writes until closed, stale or long idle; `answer` is told what the worker must hear.
    package func run(answer: (Answer) -> Void) async {
        while !isStale {
            if pending.isEmpty {
                isFlushDue = false
                if isClosed { return }
                await waiter.wait(timeout: Self.idleWait)
                guard pending.isEmpty, !isClosed, !isFlushDue else { continue }
                isRetired = true
                return
            }
            if !isBatchDue { await waiter.wait(timeout: Self.batchDelay) }
            do throws(StoreError) {
                try await write(answer)
            } catch {
                answer(.delayed(error))
                if isClosed { return }
                await waiter.wait(timeout: Self.retryDelay)
            }
        }
    }

    private var isBatchDue: Bool { isFlushDue || isClosed || pendingBytes >= Self.batchBytes }

    private func write(_ answer: (Answer) -> Void) async throws(StoreError) {
        var size = 0
        let batch = Array(
            pending.prefix { record in
                defer { size += record.bytes.count }
                return size < Self.appendBytes
            }
        )
        guard let last = batch.last?.seq else { return }
        guard let durable = try await ports.store.append(batch, to: attempt) else {
            isStale = true
            drop(through: .max)
            return answer(.stale)
        }
        if durable >= last {
            drop(through: durable)
            next = max(next, durable + 1)
            answer(.durable(durable))
        } else {
            // Storage ends before these: what is pending cannot be joined on, the spool has it all.
            drop(through: .max)
            next = durable + 1
            answer(.expected(next))
        }
    }

    private func drop(through seq: UInt64) {
        pending.removeAll { $0.seq <= seq }
        pendingBytes = pending.reduce(0) { $0 + $1.bytes.count + LogRecordCodec.overhead }
    }
}
