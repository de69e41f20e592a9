package import Core

/// The shared buckets in Redis: one number for each, when it will be full again by Redis' own clock.
package final class RedisBuckets: SharedBuckets {
    private let connection: RedisConnection

    init(connection: RedisConnection) {
        self.connection = connection
    }

    package var isReachable: Bool { connection.isReady }

    package func settle(_ calls: [RateCall], _ done: @escaping ([RateOutcome]?) -> Void) {
        var arguments = RedisCommand()
        for call in calls {
            arguments.add(call.charges.count)
            arguments.add(call.isOwed ? 1 : 0)
            for charge in call.charges {
                arguments.add(charge.key)
                arguments.add(charge.interval)
                arguments.add(charge.burst)
                arguments.add(charge.cost)
            }
        }
        connection.run(.settle, arguments) { result in
            guard case .success(let reply) = result else { return done(nil) }
            done(Self.outcomes(reply, of: calls))
        }
    }

    /// Reads one number for each call and each charge; nil when the reply is not of that shape.
    private static func outcomes(_ reply: RedisReply, of calls: [RateCall]) -> [RateOutcome]? {
        guard let numbers = reply.array else { return nil }
        guard numbers.count == calls.reduce(0, { $0 + 1 + $1.charges.count }) else { return nil }
        var outcomes: [RateOutcome] = []
        outcomes.reserveCapacity(calls.count)
        var place = 0
        for call in calls {
            guard let isCharged = numbers[place].integer else { return nil }
            let debts = numbers[(place + 1)..<(place + 1 + call.charges.count)].compactMap(\.integer)
            guard debts.count == call.charges.count else { return nil }
            outcomes.append(RateOutcome(isCharged: isCharged == 1, debts: debts))
            place += 1 + debts.count
        }
        return outcomes
    }
}
