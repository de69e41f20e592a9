import Bytes
package import Core

/// The live tails in Redis: one stream per attempt, bounded in bytes and time, each append also published.
///
/// Appends are sent and not waited for: a slow or absent Redis must not slow the log down.
package final class RedisLiveTail: LiveTail {
    /// What a late viewer finds without asking storage.
    private static let capacity = 1 << 20
    private static let secondsToLive = 600
    /// One entry and one message hold at most about this much.
    private static let messageBytes = 256 << 10
    /// Attempts whose sizes are remembered; a forgotten one may keep a tail of twice the capacity for a while.
    private static let rememberedAttempts = 4_096
    private static let readEntries = 16

    private let connection: RedisConnection
    private var windows: [AttemptID: Window] = [:]

    /// The entries that make up the newest `capacity` bytes.
    private struct Window {
        var entries: [(firstSeq: UInt64, bytes: Int)] = []
        var bytes = 0

        /// Adds an entry and answers with the first seq that is still to be kept.
        mutating func add(firstSeq: UInt64, bytes size: Int) -> UInt64 {
            entries.append((firstSeq, size))
            bytes += size
            while entries.count > 1, bytes > RedisLiveTail.capacity { bytes -= entries.removeFirst().bytes }
            return entries[0].firstSeq
        }
    }

    init(connection: RedisConnection) { self.connection = connection }

    package func append(_ records: [LogRecord], to attempt: AttemptID) async {
        var start = 0
        while start < records.count {
            var end = start
            var size = 0
            while end < records.count, end == start || size + records[end].bytes.count <= Self.messageBytes {
                size += records[end].bytes.count + LogRecordCodec.overhead
                end += 1
            }
            send(records[start..<end], to: attempt)
            start = end
        }
    }

    package func read(_ attempt: AttemptID, after seq: UInt64, limit: Int) async -> [LogRecord] {
        let command = RedisCommand("XRANGE", Self.key(attempt), "\(seq + 1)-0", "+", "COUNT", "\(Self.readEntries)")
        guard let entries = try? await connection.call(command).array else { return [] }
        var records: [LogRecord] = []
        for entry in entries {
            guard let message = entry.array?.last?.array?.last?.bytes, message.count > 4,
                let frames = LogRecordCodec.decode(Array(message.dropFirst(4)))
            else { break }
            for record in frames where record.seq == seq + UInt64(records.count) + 1 && records.count < limit {
                records.append(record)
            }
        }
        return records
    }

    private func send(_ records: ArraySlice<LogRecord>, to attempt: AttemptID) {
        guard connection.isReady, let first = records.first?.seq, let last = records.last?.seq else { return }
        var message: [UInt8] = []
        message.appendBigEndian(UInt32(clamping: attempt.attempt))
        for record in records { LogRecordCodec.append(record, to: &message) }
        if windows.count >= Self.rememberedAttempts { windows.removeAll(keepingCapacity: true) }
        let oldest = windows[attempt, default: Window()].add(firstSeq: first, bytes: message.count)
        var arguments = RedisCommand(Self.key(attempt), "\(oldest)", "\(last)")
        arguments.add(message)
        arguments.add(Self.secondsToLive)
        arguments.add(BusChannel.log(attempt.job))
        connection.run(.tail, arguments) { _ in }
    }

    private static func key(_ attempt: AttemptID) -> String { "out:\(attempt.job):\(attempt.attempt)" }
}
