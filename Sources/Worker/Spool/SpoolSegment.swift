import Bytes
import Core
import Glibc
import Platform

/// The files of a spool: per attempt one directory `JOB.ATTEMPT` with segments named by their first seq.
///
/// A segment is a header (magic, the tally before its first record, a checksum) and then `LogRecordCodec` frames, only
/// ever appended to. The newest segment always stays, so that the whole log's end can be told from it after a restart.
/// Written files survive the worker's process. What the API does not store within a second is forced to the disk, and
/// survives the machine; before, it would go with its attempt, which no machine's end leaves anything of to be done.
enum SpoolSegment {
    /// A full segment is done with; smaller ones free disk space sooner, larger ones make fewer files.
    static let capacity = 4 << 20
    private static let magic = [UInt8]("errand-spool-1\n\0".utf8)
    static let headerLength = magic.count + LogTally.encodedLength + 4
    /// Segments that are read back may be over the capacity by one batch.
    static let readLimit = capacity + (8 << 20)

    /// The directory of an attempt in the spool.
    static func directory(_ attempt: AttemptID, in spool: String) -> String {
        "\(spool)/\(attempt.job).\(attempt.attempt)"
    }

    /// The attempt that a directory's name belongs to.
    static func attempt(named name: String) -> AttemptID? {
        let halves = name.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count == 2, let job = JobID(halves[0]), let number = Int32(halves[1]), number >= 1,
            String(number) == halves[1]
        else { return nil }
        return AttemptID(job: job, attempt: Int(number))
    }

    /// The path of the segment that begins with `seq`.
    static func path(_ directory: String, _ seq: UInt64) -> String { "\(directory)/\(seq).log" }

    /// The first bytes of a segment.
    static func header(_ before: LogTally) -> [UInt8] {
        var bytes = magic + before.encoded
        bytes.appendBigEndian(crc32c(bytes))
        return bytes
    }

    /// Creates a segment with its header; the caller closes the descriptor.
    static func create(_ path: String, before: LogTally) throws -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW
        // A segment of the same name holds no record yet: its worker died between the header and the first one.
        let descriptor = unsafe open(path, flags, 0o600)
        guard descriptor >= 0 else { throw PlatformError(stage: "spool: create segment", errno: errno) }
        do {
            try append(header(before), to: descriptor)
        } catch {
            _ = close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Replaces a small file as a whole, without forcing it to the disk.
    static func replace(_ path: String, _ bytes: [UInt8]) throws {
        let temporary = path + ".new"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let raw = unsafe open(temporary, flags, 0o600)
        guard raw >= 0 else { throw PlatformError(stage: "spool: create \(path)", errno: errno) }
        let descriptor = OwnedDescriptor(raw)
        try append(bytes, to: descriptor.raw)
        guard unsafe rename(temporary, path) == 0 else {
            throw PlatformError(stage: "spool: rename \(path)", errno: errno)
        }
    }

    /// Appends all the bytes.
    static func append(_ bytes: [UInt8], to descriptor: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw PlatformError(stage: "spool: append", errno: errno)
            }
            done += count
        }
    }

    /// Reads a part of a segment.
    static func read(_ path: String, offset: Int, count: Int) throws -> [UInt8] {
        let raw = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard raw >= 0 else { throw PlatformError(stage: "spool: open segment", errno: errno) }
        let descriptor = OwnedDescriptor(raw)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let wanted = count - bytes.count
            var number: Int32 = 0
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: wanted) { buffer, length in
                let result = unsafe pread(descriptor.raw, buffer.baseAddress, wanted, offset + bytes.count)
                if result < 0 { number = errno }
                length = max(0, result)
            }
            if number == EINTR { continue }
            guard number == 0 else { throw PlatformError(stage: "spool: read segment", errno: number) }
            guard !piece.isEmpty else { throw PlatformError(stage: "spool: segment is cut", errno: EIO) }
            bytes += piece
        }
        return bytes
    }

    /// What a segment on disk holds.
    struct Contents: Sendable {
        var before: LogTally
        var after: LogTally
        /// The frames that are whole and fit on.
        var frames: [UInt8]
    }

    /// Reads a whole segment as far as it is undamaged; nil when not even its header is.
    static func load(_ path: String) throws -> Contents? {
        let bytes = try Files.readAll(path, limit: readLimit)
        guard bytes.count >= headerLength, Array(bytes.prefix(magic.count)) == magic else { return nil }
        var cursor = ByteCursor(Array(bytes[(headerLength - 4)..<headerLength]))
        guard cursor.read(UInt32.self) == crc32c(bytes.prefix(headerLength - 4)),
            let before = LogTally(decoding: Array(bytes[magic.count..<headerLength - 4]))
        else { return nil }
        let body = Array(bytes.dropFirst(headerLength))
        var after = before
        var length = 0
        for record in LogRecordCodec.decodePrefix(body).records {
            guard after.add(record) else { break }
            length += LogRecordCodec.overhead + record.bytes.count
        }
        return Contents(before: before, after: after, frames: Array(body.prefix(length)))
    }
}
