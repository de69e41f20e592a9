import Core

/// A run of records that is sent in one message and written in one piece.
struct SpoolBatch {
    let firstSeq: UInt64
    private(set) var lastSeq: UInt64
    /// The log before the first record; nil for batches read back from disk, which are never written again.
    let before: LogTally?
    private(set) var length: Int
    /// The frames, while they are kept in memory.
    private(set) var frames: [UInt8]?
    /// Where the frames are on disk.
    var place: Place?
    var isSent = false

    /// Bytes in a segment.
    struct Place {
        var segment: UInt64
        var offset: Int
    }

    /// Begins a batch with one record.
    init(_ tallied: TalliedRecord) {
        let frames = LogRecordCodec.encode(CollectionOfOne(tallied.record))
        firstSeq = tallied.record.seq
        lastSeq = tallied.record.seq
        before = tallied.before
        length = frames.count
        self.frames = frames
    }

    /// Names frames that are on disk.
    init(firstSeq: UInt64, lastSeq: UInt64, length: Int, place: Place) {
        self.firstSeq = firstSeq
        self.lastSeq = lastSeq
        self.length = length
        self.place = place
        before = nil
        frames = nil
    }

    /// Adds the record that follows; gives the bytes added.
    mutating func add(_ record: LogRecord) -> Int {
        var all = frames ?? []
        // Without this the append would copy the frames.
        frames = nil
        LogRecordCodec.append(record, to: &all)
        let added = all.count - length
        frames = all
        length = all.count
        lastSeq = record.seq
        return added
    }

    /// Drops the frames from memory; gives the bytes freed.
    mutating func dropFrames() -> Int {
        defer { frames = nil }
        return frames?.count ?? 0
    }
}
