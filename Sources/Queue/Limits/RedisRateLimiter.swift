package import Core

/// The rate limiter that all processes share; a local one takes over while Redis is away.
package final class RedisRateLimiter: RateLimiter {
    private let connection: RedisConnection
    private let local: LocalRateLimiter

    init(connection: RedisConnection, local: LocalRateLimiter) {
        self.connection = connection
        self.local = local
    }

    package func take(_ key: String, _ policy: RatePolicy) async -> RateVerdict {
        var arguments = RedisCommand(RateKey.name(key, policy))
        arguments.add(Int64(policy.interval / .microseconds(1)))
        arguments.add(policy.burst)
        guard let answer = try? await connection.run(.take, arguments).array, answer.count == 3,
            let isAllowed = answer[0].integer, let remaining = answer[1].integer, let wait = answer[2].integer
        else { return local.decide(key, policy) }
        guard isAllowed == 1 else { return RateKey.denied(after: .microseconds(wait)) }
        return RateVerdict(isAllowed: true, remaining: Int(remaining), retryAfter: 0)
    }
}
