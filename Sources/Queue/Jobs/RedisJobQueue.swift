import Bytes
package import Core

/// The queue of hints in Redis: per placement class a ring of teams, per team a set in order of priority and due time.
///
/// Lost memory is known by the missing epoch, which only a whole rebuild sets; pushes that fail are left to the sweep.
package final class RedisJobQueue: JobQueue {
    /// Hints of one script call: enough to make the call cheap, few enough to keep Redis' one thread free.
    private static let pushBatch = 128

    private let connection: RedisConnection
    private let clock: any TimeSource
    /// The rebuild that is under way here; nil also once a push of it failed.
    private var rebuildToken: String?

    init(connection: RedisConnection, clock: any TimeSource) {
        self.connection = connection
        self.clock = clock
    }

    package func push(_ hints: [JobHint]) async {
        guard !hints.isEmpty else { return }
        let now = clock.now
        var batches = stride(from: 0, to: hints.count, by: Self.pushBatch).map { start in
            hints[start..<min(start + Self.pushBatch, hints.count)]
        }
        // All but the last are only sent; answers come in order, so the last one answers for all.
        let last = batches.removeLast()
        for batch in batches {
            connection.run(.push, Self.arguments(batch, now: now)) { [weak self] result in
                switch result {
                case .success(.status): break
                case .success, .failure: self?.rebuildToken = nil
                }
            }
        }
        do {
            _ = try await connection.run(.push, Self.arguments(last, now: now))
        } catch {
            rebuildToken = nil
        }
    }

    package func pop(classes: [PlacementClass], limit: Int) async -> QueuePop {
        guard limit > 0, !classes.isEmpty else {
            // The sweep asks so whether the queue is whole, and takes nothing.
            let isWhole = try? await connection.call(RedisCommand("EXISTS", "q:epoch"))
            return isWhole == .integer(1) ? .jobs([]) : .lost
        }
        var arguments = RedisCommand()
        arguments.add(clock.now.milliseconds)
        arguments.add(limit)
        for placement in classes { arguments.add(placement.description) }
        guard let taken = try? await connection.run(.pop, arguments).array else { return .lost }
        return .jobs(taken.compactMap { $0.bytes.flatMap { JobID(uuidBytes: $0) } })
    }

    package func beginRebuild() async -> Bool {
        var random = SystemRandomNumberGenerator()
        let token = String(random.next() as UInt64, radix: 16) + String(random.next() as UInt64, radix: 16)
        do {
            // The epoch goes first: from here on pops go to the store.
            _ = try await connection.call(RedisCommand("DEL", "q:epoch"))
            try await clear()
            _ = try await connection.call(RedisCommand("SET", "q:rebuilding", token))
        } catch {
            return false
        }
        rebuildToken = token
        return true
    }

    package func rebuilt() async {
        guard let token = rebuildToken else { return }
        rebuildToken = nil
        // A refusal leaves the queue lost, so that the next pop asks for another rebuild.
        _ = try? await connection.run(.rebuilt, RedisCommand(token))
    }

    private func clear() async throws(RedisError) {
        var cursor = "0"
        repeat {
            let reply = try await connection.call(RedisCommand("SCAN", cursor, "MATCH", "q:*", "COUNT", "1000"))
            guard let parts = reply.array, parts.count == 2, let next = parts[0].text, let keys = parts[1].array else {
                throw .unexpectedReply
            }
            cursor = next
            var command = RedisCommand("UNLINK")
            for key in keys { command.add(key.bytes ?? []) }
            if command.count > 1 { _ = try await connection.call(command) }
        } while cursor != "0"
    }

    private static func arguments(_ hints: ArraySlice<JobHint>, now: Timestamp) -> RedisCommand {
        var arguments = RedisCommand()
        arguments.add(now.milliseconds)
        for hint in hints {
            arguments.add(hint.placement.description)
            arguments.add(hint.team.uuidBytes)
            arguments.add(hint.job.uuidBytes)
            arguments.add(min(max(hint.priority, JobLimits.priorities.lowerBound), JobLimits.priorities.upperBound))
            arguments.add(hint.runAt.milliseconds)
        }
        return arguments
    }
}
