import Core

/// One call of `append`, packed.
struct AppendRequest {
    let attempt: AttemptID
    let chunks: [StoredChunk]
}

/// The calls of `append` that share a transaction.
struct AppendBatch {
    private let requests: [AppendRequest]

    init(_ requests: [AppendRequest]) {
        self.requests = requests
    }

    /// Stores the chunks; answers per request.
    func run(_ pool: PostgresPool) async -> Result<[UInt64?], StoreError> {
        do throws(StoreError) {
            var left = Array(requests.enumerated())
            var answers = [UInt64?](repeating: nil, count: requests.count)
            // Two appends to one attempt are judged one after the other.
            while !left.isEmpty {
                var jobs: Set<JobID> = []
                let round = left.filter { jobs.insert($0.element.attempt.job).inserted }
                let taken = Set(round.map(\.offset))
                left.removeAll { taken.contains($0.offset) }
                let durable = try await store(round.map(\.element), pool)
                for request in round { answers[request.offset] = durable[request.element.attempt] }
            }
            return .success(answers)
        } catch {
            return .failure(error)
        }
    }

    private func store(
        _ requests: [AppendRequest],
        _ pool: PostgresPool
    ) async throws(StoreError) -> [AttemptID: UInt64] {
        let rows = requests.flatMap { request in request.chunks.map { (attempt: request.attempt, chunk: $0) } }
        let values: [PostgresValue] =
            PostgresJobStore.columns(of: rows.map(\.attempt)) + [
                .array(.bigint, rows.map { .bigint($0.chunk.firstSeq) }),
                .array(.bigint, rows.map { .bigint($0.chunk.lastSeq) }),
                .array(.bigint, rows.map { .bigint(Int64($0.chunk.rawBytes)) }),
                .array(.bigint, rows.flatMap { row in row.chunk.offsets.map { .bigint($0) } }),
                .array(.smallint, rows.map { .smallint($0.chunk.codec.rawValue) }),
                .array(.bytes, rows.map { .bytes($0.chunk.data) }),
            ]
        let found = try await pool.run(.system, LogStatements.append(values)).rows { row throws(StoreError) in
            (attempt: try AttemptID(&row), durable: try row.value(UInt64.self))
        }
        return Dictionary(found.map { ($0.attempt, $0.durable) }) { first, _ in first }
    }
}
