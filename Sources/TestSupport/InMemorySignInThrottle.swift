package import Bytes
package import Core

/// Failed sign-ins in memory, by the same rule as the real counters.
package final class InMemorySignInThrottle: SignInThrottle {
    private struct Key: Hashable {
        var account: [UInt8]
        var place: [UInt8]
    }

    private struct Counter {
        var failures = 0
        var lastAt: Timestamp
        var blockedUntil: Timestamp?
        var toldUntil: Timestamp?
    }

    private var counters: [Key: Counter] = [:]
    private var places: [Key: Timestamp] = [:]

    /// Nothing counted yet.
    package init() {}

    package func begin(_ attempt: SignInTry) async throws(StoreError) -> SignInLeave {
        let now = attempt.begunAt
        let home = places[Key(account: attempt.account, place: attempt.place)]
        let isKnown = home.map { now - $0 < SignInBackOff.knownPlaces } ?? false
        let keys = Self.keys(attempt)
        for (key, _) in keys { setBack(key, now) }
        let binding = keys.filter { !(isKnown && $0.key.place.isEmpty) }.compactMap { key, _ in
            counters[key]?.blockedUntil.flatMap { $0 > now ? (key, $0) : nil }
        }.max { $0.1 < $1.1 }
        if let (key, until) = binding {
            let isFirst = counters[key]?.toldUntil != until
            counters[key]?.toldUntil = until
            return .wait(until: until, isFirst: isFirst)
        }
        for (key, rule) in keys {
            var counter = counters[key] ?? Counter(lastAt: now)
            counter.failures = now - counter.lastAt > rule.memory ? 1 : counter.failures + 1
            counter.lastAt = now
            counter.blockedUntil = rule.wait(after: counter.failures).map { now.adding($0) }
            counters[key] = counter
        }
        return .granted
    }

    package func end(_ attempt: SignInTry, _ end: SignInEnd) async throws(StoreError) {
        for (key, _) in Self.keys(attempt) {
            guard var counter = counters[key] else { continue }
            counter.failures = max(counter.failures - 1, 0)
            if counter.lastAt == attempt.begunAt { counter.blockedUntil = nil }
            counters[key] = counter
        }
        guard end == .right else { return }
        let key = Key(account: attempt.account, place: attempt.place)
        counters[key] = nil
        if !attempt.isKnownDevice { places[key] = attempt.begunAt }
    }

    package func prune(now: Timestamp, limit: Int) async throws(StoreError) {
        counters = counters.filter { now - $0.value.lastAt <= SignInBackOff.pair.memory }
        places = places.filter { now - $0.value <= SignInBackOff.knownPlaces }
    }

    /// Counts a wait from now when the clock was set back since it began.
    private func setBack(_ key: Key, _ now: Timestamp) {
        guard var counter = counters[key], counter.lastAt - now > .seconds(60) else { return }
        counter.blockedUntil = counter.blockedUntil.map { now.adding($0 - counter.lastAt) }
        counter.lastAt = now
        counter.toldUntil = nil
        counters[key] = counter
    }

    private static func keys(_ attempt: SignInTry) -> [(key: Key, rule: SignInBackOff.Rule)] {
        let pair = (Key(account: attempt.account, place: attempt.place), SignInBackOff.pair)
        guard !attempt.isKnownDevice else { return [pair] }
        return [
            pair, (Key(account: attempt.account, place: []), SignInBackOff.account),
            (Key(account: [], place: attempt.place), SignInBackOff.place),
        ]
    }
}
