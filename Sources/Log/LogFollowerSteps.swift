import Core

/// The steps of following, each from one source.
extension LogFollower {
    /// Goes one step further through the attempts, the sources or to the end.
    func advance(_ row: Job, _ batch: inout EventBatch) async throws(StoreError) -> Step {
        if row.state.isFinal, position.attempt >= row.attempt { return try await finish(row, &batch) }
        if position.attempt < row.attempt { return try await leaveAttempt(&batch) }
        return try await follow(&batch)
    }

    /// Reads an attempt that is over to its stored end, then moves to the one after it.
    private func leaveAttempt(_ batch: inout EventBatch) async throws(StoreError) -> Step {
        source = .storage
        let next = AttemptID(job: job, attempt: position.attempt + 1)
        if position.attempt > 0 {
            if try await takeStored(&batch) { return .progress }
            let durable = try await hub.ports.store.durable(current)
            let cut = LogPosition(attempt: position.attempt, seq: durable)
            batch.append(LogEvent.reset(to: next, cut: cut, at: hub.ports.clock.now))
        }
        position = LogPosition(attempt: next.attempt, seq: 0)
        return .progress
    }

    /// Gives the rest of a final job's log and its end.
    private func finish(_ row: Job, _ batch: inout EventBatch) async throws(StoreError) -> Step {
        if position.attempt == row.attempt, row.attempt > 0 {
            if let end = row.logEnd {
                if position.seq < end.lastSeq {
                    if takeLive(&batch) { return .progress }
                    if try await takeStored(&batch) { return .progress }
                    skip(to: end.lastSeq, &batch)
                }
                // The worker that is gone had shown more than it could store.
                if position.seq > end.lastSeq { cut(to: end.lastSeq, &batch) }
            } else {
                // Without an end nobody vouched for the live records: only what storage has counts.
                if try await takeStored(&batch) { return .progress }
                let durable = try await hub.ports.store.durable(current)
                if position.seq > durable { cut(to: durable, &batch) }
            }
        }
        complete(row, &batch)
        return .ended
    }

    /// Says that the records after the last durable one are void, though no other attempt follows.
    private func cut(to seq: UInt64, _ batch: inout EventBatch) {
        let cut = LogPosition(attempt: position.attempt, seq: seq)
        batch.append(LogEvent.reset(to: current, cut: cut, at: hub.ports.clock.now))
    }

    private func complete(_ row: Job, _ batch: inout EventBatch) {
        let now = hub.ports.clock.now
        let isOwnExit = row.reason == .exitCode || row.reason == .signal
        if row.state == .failed, let reason = row.reason, !isOwnExit {
            batch.append(
                LogEvent.error(
                    job,
                    attempt: row.attempt,
                    at: row.finishedAt ?? now,
                    code: reason.rawValue,
                    message: row.reasonText
                )
            )
        }
        batch.append(LogEvent.completed(row, at: now))
    }

    /// Follows the running attempt: live when that joins on, else the tail, else storage.
    private func follow(_ batch: inout EventBatch) async throws(StoreError) -> Step {
        if takeLive(&batch) { return .progress }
        if watched.ring.breaks != seenBreaks {
            seenBreaks = watched.ring.breaks
            if source == .live { source = .tail(thenStorage: true) }
        }
        switch source {
        case .storage:
            if try await !takeStored(&batch) { source = .tail(thenStorage: false) }
            return .progress
        case .tail(let thenStorage):
            if position.attempt > 0, await takeTail(&batch) { return .progress }
            // What came live meanwhile is in the ring, which the next step asks first.
            source = thenStorage ? .storage : .live
            return .progress
        case .live:
            if case .gap = watched.ring.events(after: position) { return flee(to: .tail(thenStorage: true)) }
            if watched.durable > position, watched.durable.attempt == position.attempt { return flee(to: .storage) }
            return .idle
        }
    }

    private func flee(to refuge: Source) -> Step {
        guard fledFrom != position else {
            fledFrom = nil
            return .starved
        }
        fledFrom = position
        source = refuge
        return .progress
    }

    private func takeLive(_ batch: inout EventBatch) -> Bool {
        guard case .events(let events) = watched.ring.events(after: position) else { return false }
        for event in events where !batch.isFull {
            if position.seq == 0 { announceStart(at: hub.ports.clock.now, in: &batch) }
            batch.append(event.json, at: event.position)
            position.seq += 1
        }
        source = .live
        return true
    }

    private func takeTail(_ batch: inout EventBatch) async -> Bool {
        let records = await hub.ports.tail.read(current, after: position.seq, limit: 256)
        guard records.first?.seq == position.seq + 1 else { return false }
        return append(records, &batch)
    }

    private func takeStored(_ batch: inout EventBatch) async throws(StoreError) -> Bool {
        guard position.attempt > 0 else { return false }
        let records = try await hub.ports.store.read(
            current,
            from: position.seq + 1,
            maximumBytes: EventBatch.maximumBytes
        )
        if let first = records.first?.seq, first > position.seq + 1 { skip(to: first - 1, &batch) }
        return append(records, &batch)
    }

    /// Gives out what follows the position without a hole; true when that was anything.
    private func append(_ records: [LogRecord], _ batch: inout EventBatch) -> Bool {
        let before = position
        for record in records where record.seq == position.seq + 1 && !batch.isFull {
            if position.seq == 0 { announceStart(at: record.at, in: &batch) }
            position.seq = record.seq
            batch.append(LogEvent.output(record, of: current), at: position)
        }
        return position != before
    }

    private func skip(to seq: UInt64, _ batch: inout EventBatch) {
        batch.append(LogEvent.gap(current, from: position.seq + 1, to: seq, at: hub.ports.clock.now))
        position.seq = seq
    }

    private var current: AttemptID { AttemptID(job: job, attempt: position.attempt) }
}
