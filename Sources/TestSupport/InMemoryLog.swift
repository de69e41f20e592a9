package import Core

/// The durable half of the log in memory, with the same answers as the real one.
package final class InMemoryLogStore: LogStore {
    /// Whether an attempt is its job's current running one; the fence of `append`.
    package var isCurrent: (AttemptID) -> Bool = { _ in true }
    /// Runs before and after each call: where a test interleaves what else happens.
    package var onCall: () -> Void = {}
    /// Thrown by each call while set.
    package var failure: StoreError?
    /// Appends so far that stored something.
    package private(set) var appends = 0

    private var records: [AttemptID: [LogRecord]] = [:]

    /// An empty store.
    package init() {}

    /// Forgets the records of an attempt up to `seq`, as retention would.
    package func forget(_ attempt: AttemptID, through seq: UInt64) {
        records[attempt]?.removeAll { $0.seq <= seq }
    }

    /// Stores records as they are, for a test's synchronous steps.
    package func insert(_ new: [LogRecord], to attempt: AttemptID) { records[attempt, default: []] += new }

    package func append(_ new: [LogRecord], to attempt: AttemptID) async throws(StoreError) -> UInt64? {
        try enter()
        defer { onCall() }
        guard isCurrent(attempt) else { return nil }
        let last = records[attempt]?.last?.seq ?? 0
        guard let first = new.first, first.seq == last + 1 else { return last }
        records[attempt, default: []] += new
        appends += 1
        return new.last?.seq
    }

    package func durable(_ attempt: AttemptID) async throws(StoreError) -> UInt64 {
        try enter()
        defer { onCall() }
        return records[attempt]?.last?.seq ?? 0
    }

    package func read(
        _ attempt: AttemptID,
        from seq: UInt64,
        maximumBytes: Int
    ) async throws(StoreError) -> [LogRecord] {
        try enter()
        defer { onCall() }
        return bounded(records[attempt, default: []].lazy.filter { $0.seq >= seq }, maximumBytes)
    }

    package func read(
        _ attempt: AttemptID,
        stream: LogStream,
        fromOffset offset: UInt64,
        maximumBytes: Int
    ) async throws(StoreError) -> [LogRecord] {
        try enter()
        defer { onCall() }
        let wanted = records[attempt, default: []].lazy.filter {
            $0.stream == stream && $0.offset + UInt64($0.bytes.count) > offset
        }
        return bounded(wanted, maximumBytes)
    }

    package func length(_ attempt: AttemptID, stream: LogStream) async throws(StoreError) -> UInt64 {
        try enter()
        defer { onCall() }
        let last = records[attempt]?.last { $0.stream == stream }
        return last.map { $0.offset + UInt64($0.bytes.count) } ?? 0
    }

    package func attempts(of job: JobID) async throws(StoreError) -> [(attempt: Int, lastDurable: UInt64)] {
        try enter()
        defer { onCall() }
        return records.filter { $0.key.job == job }
            .map { (attempt: $0.key.attempt, lastDurable: $0.value.last?.seq ?? 0) }
            .sorted { $0.attempt < $1.attempt }
    }

    private func enter() throws(StoreError) {
        onCall()
        if let failure { throw failure }
    }

    private func bounded(_ records: some Sequence<LogRecord>, _ maximumBytes: Int) -> [LogRecord] {
        var size = 0
        var taken: [LogRecord] = []
        for record in records {
            guard taken.isEmpty || size + record.bytes.count <= maximumBytes else { break }
            taken.append(record)
            size += record.bytes.count
        }
        return taken
    }
}

/// The live tail in memory: bounded per attempt, and publishing to a bus as the real one does.
package final class InMemoryTail: LiveTail {
    /// Runs before and after each read.
    package var onCall: () -> Void = {}

    private let bus: any MessageBus
    private let capacity: Int
    private var tails: [AttemptID: [LogRecord]] = [:]

    /// A tail that tells `bus`, keeping about `capacity` bytes per attempt.
    package init(bus: any MessageBus, capacity: Int = 1 << 20) {
        self.bus = bus
        self.capacity = capacity
    }

    /// Forgets everything, as a flush of the real one would.
    package func lose() { tails = [:] }

    package func append(_ records: [LogRecord], to attempt: AttemptID) async { keep(records, of: attempt) }

    /// The same as `append`, for a test's synchronous steps.
    package func keep(_ records: [LogRecord], of attempt: AttemptID) {
        var tail = tails[attempt, default: []]
        for record in records where record.seq > tail.last?.seq ?? 0 { tail.append(record) }
        while tail.count > 1, tail.reduce(0, { $0 + $1.bytes.count }) > capacity { tail.removeFirst() }
        tails[attempt] = tail
        var message: [UInt8] = []
        message.reserveCapacity(4)
        for shift in [24, 16, 8, 0] { message.append(UInt8(truncatingIfNeeded: attempt.attempt >> shift)) }
        bus.publish(BusChannel.log(attempt.job), message + LogRecordCodec.encode(records))
    }

    package func read(_ attempt: AttemptID, after seq: UInt64, limit: Int) async -> [LogRecord] {
        onCall()
        defer { onCall() }
        return read(tails[attempt, default: []], after: seq, limit: limit)
    }

    private func read(_ tail: [LogRecord], after seq: UInt64, limit: Int) -> [LogRecord] {
        guard let first = tail.first, first.seq <= seq + 1 else { return [] }
        return Array(tail.drop { $0.seq <= seq }.prefix(limit))
    }
}
