import Core
import Link
import Platform

/// What an earlier process of this worker left of one attempt.
struct RecoveredSpool {
    var attempt: AttemptID
    var tally: LogTally
    var segments: [SpoolSegmentState]
    var batches: [SpoolBatch]
    /// How the attempt ended, when it had ended.
    var end: AttemptEnd?
}

/// The place of all spools of a worker.
struct SpoolDirectory: Sendable {
    /// The directory, made at start-up.
    let path: String

    /// The directory of one attempt.
    func place(_ attempt: AttemptID) -> String { SpoolSegment.directory(attempt, in: path) }

    /// Makes an attempt's directory: once `syncPlaces` has returned, a worker knows for good that it was begun.
    func create(_ attempt: AttemptID) async throws {
        let place = place(attempt)
        try await BlockingPool.run { try Files.createDirectory(place, mode: 0o700) }
    }

    /// Brings the directories that were made to the disk.
    ///
    /// Without, a machine that crashes and is back within the lease would give a job back as never begun.
    func syncPlaces() async throws {
        try await BlockingPool.run { [path] in try Files.syncDirectory(path) }
    }

    /// Brings how an attempt ended to the disk, when it is kept.
    func syncEnd(_ attempt: AttemptID) async throws {
        let place = place(attempt)
        try await BlockingPool.run {
            guard try Files.syncData(place + "/end.json") else { return }
            try Files.syncDirectory(place)
        }
    }

    /// Keeps how an attempt ended, so that a restarted worker reports that and not a loss.
    func keep(_ end: AttemptEnd) async throws {
        let path = place(end.attempt) + "/end.json"
        let bytes = WorkerControlMessage.finish([end]).encoded()
        try await BlockingPool.run { try SpoolSegment.replace(path, bytes) }
    }

    /// Deletes what is left of an attempt that has no spool in memory.
    func discard(_ attempt: AttemptID) async {
        let place = place(attempt)
        try? await BlockingPool.run { try Files.removeTree(place) }
    }

    /// Everything that earlier processes left; what cannot be an attempt is left alone.
    func recover() throws -> [RecoveredSpool] {
        try Files.createDirectory(path, mode: 0o700)
        return try Files.list(path).compactMap { name in
            try SpoolSegment.attempt(named: name).map { try recover($0) }
        }
    }

    private func recover(_ attempt: AttemptID) throws -> RecoveredSpool {
        let place = place(attempt)
        var spool = RecoveredSpool(attempt: attempt, tally: LogTally(), segments: [], batches: [], end: nil)
        spool.end = recoverEnd(attempt, in: place)
        let names = try Files.list(place).compactMap { name in
            name.hasSuffix(".log") ? UInt64(name.dropLast(4)) : nil
        }
        for firstSeq in names.sorted() {
            let path = SpoolSegment.path(place, firstSeq)
            // After damage nothing more fits on: the log ends before it, without a hole.
            guard let contents = try SpoolSegment.load(path), contents.before.lastSeq + 1 == firstSeq,
                spool.segments.isEmpty || contents.before.lastSeq == spool.tally.lastSeq
            else { break }
            spool.tally = contents.after
            // A bare header is written anew with the next record.
            guard !contents.frames.isEmpty else { break }
            spool.segments.append(
                SpoolSegmentState(
                    firstSeq: firstSeq,
                    lastSeq: contents.after.lastSeq,
                    size: SpoolSegment.headerLength + contents.frames.count
                )
            )
            spool.batches += Self.batches(contents, segment: firstSeq)
        }
        return spool
    }

    private func recoverEnd(_ attempt: AttemptID, in place: String) -> AttemptEnd? {
        // An end that cannot be read is one that was never reported: the attempt counts as lost.
        guard let bytes = try? Files.readAll(place + "/end.json", limit: LinkProtocol.controlFrameBytes),
            case .finish(let ends) = try? WorkerControlMessage(decoding: bytes), let end = ends.first,
            end.attempt == attempt
        else { return nil }
        return end
    }

    /// Cuts a segment into messages for the link.
    private static func batches(_ contents: SpoolSegment.Contents, segment: UInt64) -> [SpoolBatch] {
        var batches: [SpoolBatch] = []
        var seq = contents.before.lastSeq
        var (start, first, length) = (0, seq + 1, 0)
        func close() {
            guard length > 0 else { return }
            let place = SpoolBatch.Place(segment: segment, offset: SpoolSegment.headerLength + start)
            batches.append(SpoolBatch(firstSeq: first, lastSeq: seq, length: length, place: place))
            (start, first, length) = (start + length, seq + 1, 0)
        }
        for record in LogRecordCodec.decodePrefix(contents.frames).records {
            let size = LogRecordCodec.overhead + record.bytes.count
            if length + size > LinkProtocol.recordsBytes { close() }
            length += size
            seq = record.seq
        }
        close()
        return batches
    }
}
