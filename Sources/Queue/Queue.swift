package import Core
package import Platform

/// Everything that Redis does for one loop: hints, live tails, the bus and rate limits, over two connections.
package final class Queue {
    /// The hints of what is ready.
    package let jobs: RedisJobQueue
    /// The live ends of the logs.
    package let tail: RedisLiveTail
    /// Messages between processes and loops.
    package let bus: RedisBus
    /// The shared rate limits.
    package let buckets: RedisBuckets

    private let connection: RedisConnection

    /// Prepares the connections, on the loop only; `start` makes them.
    package init(configuration: QueueConfiguration, loop: EventLoop, clock: any TimeSource) {
        connection = RedisConnection(configuration: configuration, loop: loop)
        jobs = RedisJobQueue(connection: connection, clock: clock)
        tail = RedisLiveTail(connection: connection)
        bus = RedisBus(configuration: configuration, publisher: connection, loop: loop)
        buckets = RedisBuckets(connection: connection)
    }

    /// Connects; false when Redis cannot be reached yet, which the store makes up for until it can.
    ///
    /// Throws when Redis must not be used as it is set up: it evicts keys, or refuses our credentials.
    @discardableResult
    package func start() async throws(RedisError) -> Bool {
        let isConnected: Bool
        do throws(RedisError) {
            isConnected = try await connection.start()
        } catch {
            await connection.close()
            throw error
        }
        bus.start()
        return isConnected
    }

    /// Ends both connections.
    package func close() async {
        await bus.close()
        await connection.close()
    }

    /// True when Redis answers.
    package func ping() async -> Bool {
        (try? await connection.call(RedisCommand("PING"))) == .status("PONG")
    }

    /// True while the command connection stands.
    package var isConnected: Bool { connection.isReady }

    /// Writes to the command connection so far, for metrics.
    package var writes: Int { connection.writes }
}
