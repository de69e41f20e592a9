import Core
import Glibc
import Link
import Platform

/// Why a spool can take no more.
enum SpoolFailure: Equatable {
    /// The space for all spools is used up, or the disk is full.
    case full
    /// The disk failed; the text names the step.
    case broken(String)
}

/// What one attempt has written and the API has not yet stored: in memory for the link, on disk for a restart.
///
/// Loop-confined. One writer brings records to files at once, in the background, and then they go to the link from
/// memory: the API never holds a record that a new process of this worker could not find. What the API has stored for
/// good is freed. When it lags, the link falls back to the files, and these are forced to the disk.
final class AttemptSpool {
    /// Records that come while others are being written share a batch up to this size.
    static let batchBytes = 64 << 10
    /// Frames kept in memory for a link that lags; further ones are read back from disk.
    static let memoryBytes = 4 << 20
    /// The API stores records within a quarter of a second; what it has not by then is to survive the machine as well.
    static let lagLimit = Duration.seconds(1)
    /// The job's output pauses while this much is not stored yet: seconds of a fast disk.
    static let window = 256 << 20

    let attempt: AttemptID
    /// The last record written here.
    private(set) var lastSeq: UInt64 = 0
    /// The last record the API has stored for good.
    private(set) var durable: UInt64 = 0
    private(set) var failure: SpoolFailure?
    /// True when records that the API still needs cannot be read any more: its log cannot be completed.
    private(set) var isLost = false
    /// Called when there is something to send.
    var onUnsent: () -> Void = {}
    /// Called when the durable position has moved or the spool has failed.
    var onChange: () -> Void = {}

    let directory: String
    private let budget: SpoolBudget
    let loop: EventLoop
    let lagLimit: Duration
    private let changed = LoopCondition()
    private(set) lazy var disk = GroupCommit { [unowned self] in try await flush() }
    var lagTimer: LoopTimer?
    private(set) var batches: [SpoolBatch] = []
    /// Batches at the front that are on disk.
    private(set) var written = 0
    /// Batches that the running write takes with it.
    private var inFlight = 0
    private var sendIndex = 0
    private var unstored = 0
    private var inMemory = 0
    var segments: [SpoolSegmentState] = []
    private var descriptor: Int32?
    private var isWriting = false
    private(set) var isRemoved = false

    /// An empty spool in an existing directory.
    init(
        attempt: AttemptID,
        directory: String,
        budget: SpoolBudget,
        loop: EventLoop,
        lagLimit: Duration = AttemptSpool.lagLimit
    ) {
        self.lagLimit = lagLimit
        self.attempt = attempt
        self.directory = directory
        self.budget = budget
        self.loop = loop
    }

    /// Takes over what an earlier process left.
    init(recovered: RecoveredSpool, directory: String, budget: SpoolBudget, loop: EventLoop) {
        lagLimit = Self.lagLimit
        attempt = recovered.attempt
        self.directory = directory
        self.budget = budget
        self.loop = loop
        lastSeq = recovered.tally.lastSeq
        segments = recovered.segments
        batches = recovered.batches
        written = batches.count
        unstored = batches.reduce(0) { $0 + $1.length }
        budget.adopt(segments.reduce(0) { $0 + $1.size })
    }

    /// True when every record taken is in its segment, or never will be.
    var isSettled: Bool { !isWriting && (written == batches.count || failure != nil || isRemoved) }

    /// True when everything written here is stored at the API.
    var isStored: Bool { durable >= lastSeq }

    /// Takes the records that follow; false when one was not taken: then the log ends before it.
    func append(_ records: [TalliedRecord]) -> Bool {
        guard failure == nil, !isRemoved else { return false }
        for tallied in records {
            let size = LogRecordCodec.overhead + tallied.record.bytes.count
            guard budget.take(size) else {
                fail(.full)
                onUnsent()
                return false
            }
            unstored += size
            inMemory += size
            lastSeq = tallied.record.seq
            if let last = batches.indices.last, last >= written + inFlight, !batches[last].isSent,
                batches[last].length + size <= Self.batchBytes
            {
                _ = batches[last].add(tallied.record)
            } else {
                batches.append(SpoolBatch(tallied))
            }
        }
        startWriting()
        return true
    }

    /// True while the job must pause its output.
    var isCrowded: Bool { unstored > Self.window && failure == nil && !isRemoved }

    /// Waits until the job may write more.
    func waitForRoom() async {
        while isCrowded { await changed.wait() }
    }
}

// MARK: - Sending

extension AttemptSpool {
    /// True when a batch can be sent now.
    var hasUnsent: Bool {
        guard !isRemoved, !isLost, sendIndex < sendable else { return false }
        return batches[sendable - 1].lastSeq > durable
    }

    /// True when everything was sent, also what is still on its way to the disk.
    var isSent: Bool { isRemoved || isLost || sendIndex >= batches.count }

    /// Batches at the front that may be sent; a disk that fails must not keep what is left in memory from the API.
    private var sendable: Int { failure == nil ? written : batches.count }

    /// The frames to send next; nil when there are none.
    ///
    /// One caller at a time.
    func takeUnsent() async -> [UInt8]? {
        while sendIndex < sendable, batches[sendIndex].lastSeq <= durable { sendIndex += 1 }
        guard !isRemoved, sendIndex < sendable else { return nil }
        let index = sendIndex
        sendIndex += 1
        batches[index].isSent = true
        let batch = batches[index]
        if let frames = batch.frames {
            if index < written { inMemory -= batches[index].dropFrames() }
            return frames
        }
        guard let place = batch.place else { return nil }
        let path = SpoolSegment.path(directory, place.segment)
        let length = batch.length
        do {
            return try await BlockingPool.run { try SpoolSegment.read(path, offset: place.offset, count: length) }
        } catch {
            // A segment that was stored meanwhile is gone, and nobody misses it.
            guard batch.lastSeq > durable, !isRemoved else { return nil }
            isLost = true
            fail(.broken("\(error)"))
            return nil
        }
    }

    /// Goes back so that the record `next` is sent next.
    func rewind(to next: UInt64) {
        sendIndex = batches.firstIndex { $0.lastSeq >= next } ?? batches.count
        guard next <= lastSeq else { return }
        guard let first = batches.first, first.firstSeq <= next else {
            isLost = true
            fail(.broken("spool: record \(next) is not here any more"))
            return
        }
        onUnsent()
    }

    /// Takes note that the API has stored everything up to `seq`, and frees it.
    func acknowledge(_ seq: UInt64) {
        // More than was ever written here: a crash of the machine took the end of the spool with it.
        if seq > lastSeq { isLost = true }
        let position = min(seq, lastSeq)
        guard position > durable else { return }
        durable = position
        freeStored()
        changed.signalAll()
        onChange()
    }

    private func freeStored() {
        var count = 0
        while count < written, batches[count].lastSeq <= durable {
            unstored -= batches[count].length
            inMemory -= batches[count].dropFrames()
            count += 1
        }
        batches.removeFirst(count)
        written -= count
        sendIndex = max(0, sendIndex - count)
        // The newest segment stays: its header tells the whole log's end after a restart.
        var paths: [String] = []
        while segments.count > 1, segments[0].lastSeq <= durable {
            let segment = segments.removeFirst()
            budget.free(segment.size)
            paths.append(SpoolSegment.path(directory, segment.firstSeq))
        }
        guard !paths.isEmpty else { return }
        let freed = paths
        loop.spawnLocal {
            // A segment that cannot be removed now goes with the whole directory.
            try? await BlockingPool.run { for path in freed { try Files.remove(path) } }
        }
    }

    func fail(_ failure: SpoolFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        changed.signalAll()
        onUnsent()
        onChange()
    }
}

// MARK: - The disk

extension AttemptSpool {
    private func startWriting() {
        guard !isWriting, !isRemoved, failure == nil, written < batches.count else { return }
        isWriting = true
        loop.spawnLocal { [self] in
            while !isRemoved, failure == nil, written < batches.count { await writeOnce() }
            isWriting = false
            changed.signalAll()
        }
    }

    /// Writes the waiting batches, as many as the segment takes.
    private func writeOnce() async {
        let isNew = descriptor == nil || (segments.last?.size ?? 0) >= SpoolSegment.capacity
        if isNew { closeSegment() }
        let first = batches[written]
        guard let before = first.before else { return fail(.broken("spool: a batch is out of order")) }
        var bytes: [UInt8] = []
        inFlight = 0
        while written + inFlight < batches.count, bytes.count < SpoolSegment.capacity / 4 {
            bytes += batches[written + inFlight].frames ?? []
            inFlight += 1
        }
        let (content, old, directory) = (bytes, descriptor, directory)
        do {
            let open = try await BlockingPool.run {
                // An attempt that is cancelled at once has something to say before its place is made.
                if old == nil { try Files.createDirectory(directory, mode: 0o700) }
                let open = try old ?? SpoolSegment.create(SpoolSegment.path(directory, first.firstSeq), before: before)
                try SpoolSegment.append(content, to: open)
                return open
            }
            descriptor = open
            if isNew {
                segments.append(
                    SpoolSegmentState(
                        firstSeq: first.firstSeq,
                        lastSeq: first.firstSeq,
                        size: SpoolSegment.headerLength
                    )
                )
                budget.adopt(SpoolSegment.headerLength)
            }
            finishWrite()
        } catch {
            fail(SpoolFailure(error))
        }
        inFlight = 0
    }

    private func finishWrite() {
        let last = segments.count - 1
        for index in written..<(written + inFlight) {
            batches[index].place = SpoolBatch.Place(segment: segments[last].firstSeq, offset: segments[last].size)
            segments[last].size += batches[index].length
            segments[last].lastSeq = batches[index].lastSeq
            if batches[index].isSent || inMemory > Self.memoryBytes { inMemory -= batches[index].dropFrames() }
        }
        written += inFlight
        freeStored()
        onUnsent()
        watchLag()
    }

    private func closeSegment() {
        if let descriptor { _ = close(descriptor) }
        descriptor = nil
    }

    /// Ends the spool and deletes its files.
    func remove() async {
        guard !isRemoved else { return }
        isRemoved = true
        lagTimer?.cancel()
        changed.signalAll()
        while isWriting { await changed.wait() }
        closeSegment()
        // What no segment has taken yet is accounted for like the rest.
        budget.free(segments.reduce(0) { $0 + $1.size } + batches[written...].reduce(0) { $0 + $1.length })
        batches = []
        segments = []
        let path = directory
        // A directory that stays is found at the next start and, being stale, removed then.
        try? await BlockingPool.run { try Files.removeTree(path) }
    }
}

/// A segment as its spool knows it.
struct SpoolSegmentState: Sendable {
    var firstSeq: UInt64
    var lastSeq: UInt64
    /// Bytes written, the header included.
    var size: Int
    /// Bytes that were forced to the disk.
    var syncedSize = 0
}
