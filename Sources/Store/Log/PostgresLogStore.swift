import Core
import Platform

/// The job log in PostgreSQL: chunks of frames, contiguous per attempt.
///
/// Appends of different attempts that come together share a transaction (`Batcher`).
final class PostgresLogStore: LogStore {
    /// Packed bytes that one transaction carries at most.
    private static let batchBytes = 4 << 20

    private let pool: PostgresPool
    private let codec = ChunkCodec()
    private let appends: Batcher<AppendRequest, UInt64?>

    init(_ pool: PostgresPool, loop: EventLoop) {
        self.pool = pool
        appends = Batcher(
            loop: loop,
            capacity: Self.batchBytes,
            weigh: { request in request.chunks.reduce(0) { $0 + $1.data.count } },
            perform: { requests in await AppendBatch(requests).run(pool) }
        )
    }

    func append(_ records: [LogRecord], to attempt: AttemptID) async throws(StoreError) -> UInt64? {
        guard !records.isEmpty else {
            let values: [PostgresValue] = [.id(attempt.job), .integer(attempt.attempt)]
            return try await pool.run(.system, LogStatements.head(values)).first { row throws(StoreError) in
                try row.value()
            }
        }
        var chunks: [StoredChunk] = []
        for part in Self.parts(of: records) {
            chunks.append(codec.pack(part))
            // Others have their turn between two chunks.
            await Task.yield()
        }
        return try await appends.submit(AppendRequest(attempt: attempt, chunks: chunks))
    }

    func durable(_ attempt: AttemptID) async throws(StoreError) -> UInt64 {
        let values: [PostgresValue] = [.id(attempt.job), .integer(attempt.attempt)]
        return try await pool.run(.system, LogStatements.durable(values)).first { row throws(StoreError) in
            try row.value()
        } ?? 0
    }

    func read(
        _ attempt: AttemptID,
        from seq: UInt64,
        maximumBytes: Int
    ) async throws(StoreError) -> [LogRecord] {
        let values: [PostgresValue] = [
            .id(attempt.job), .integer(attempt.attempt), .bigint(seq), .bigint(Int64(maximumBytes)),
        ]
        let result = try await pool.run(.system, LogStatements.readFromSeq(values))
        return try await unpack(result, attempt, maximumBytes) { $0.seq >= seq }
    }

    func read(
        _ attempt: AttemptID,
        stream: LogStream,
        fromOffset offset: UInt64,
        maximumBytes: Int
    ) async throws(StoreError) -> [LogRecord] {
        let values: [PostgresValue] = [
            .id(attempt.job), .integer(attempt.attempt), .bigint(offset), .bigint(Int64(maximumBytes)),
        ]
        let result = try await pool.run(.system, LogStatements.readFromOffset(of: stream)(values))
        return try await unpack(result, attempt, maximumBytes) {
            $0.stream == stream && $0.offset + UInt64($0.bytes.count) > offset
        }
    }

    func length(_ attempt: AttemptID, stream: LogStream) async throws(StoreError) -> UInt64 {
        let values: [PostgresValue] = [.id(attempt.job), .integer(attempt.attempt)]
        let result = try await pool.run(.system, LogStatements.length(of: stream)(values))
        return try result.first { row throws(StoreError) in try row.value() } ?? 0
    }

    func attempts(of job: JobID) async throws(StoreError) -> [(attempt: Int, lastDurable: UInt64)] {
        try await pool.run(.system, LogStatements.attempts([.id(job)])).rows { row throws(StoreError) in
            (attempt: try row.value(), lastDurable: try row.value())
        }
    }

    /// Cuts records into chunks; what does not follow its predecessor is left for the writer to send again.
    private static func parts(of records: [LogRecord]) -> [ArraySlice<LogRecord>] {
        var parts: [ArraySlice<LogRecord>] = []
        var start = 0
        var size = 0
        for (index, record) in records.enumerated() {
            if index > 0, record.seq != records[index - 1].seq + 1 {
                return index > start ? parts + [records[start..<index]] : parts
            }
            if size > 0, size + record.bytes.count > ChunkCodec.chunkBytes {
                parts.append(records[start..<index])
                (start, size) = (index, 0)
            }
            size += record.bytes.count
        }
        return parts + [records[start...]]
    }

    private func unpack(
        _ result: PostgresResult,
        _ attempt: AttemptID,
        _ maximumBytes: Int,
        where isWanted: (LogRecord) -> Bool
    ) async throws(StoreError) -> [LogRecord] {
        let chunks = try result.rows { row throws(StoreError) in
            (
                codec: StoredChunk.Codec(rawValue: Int16(clamping: try row.value(Int.self))),
                data: try row.value([UInt8].self)
            )
        }
        var records: [LogRecord] = []
        var size = 0
        for chunk in chunks {
            guard let codec = chunk.codec, let unpacked = self.codec.unpack(chunk.data, codec: codec) else {
                throw .failed(stage: "log of \(attempt): a chunk is damaged", sqlState: "XX001")
            }
            for record in unpacked where isWanted(record) {
                guard size < maximumBytes || records.isEmpty else { return records }
                records.append(record)
                size += record.bytes.count
            }
            await Task.yield()
        }
        return records
    }
}
