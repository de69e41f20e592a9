package import Bytes
package import Core

/// Failed sign-ins in memory, by the same rule as the real counters.
package final class InMemorySignInThrottle: SignInThrottle {
    private struct Key: Hashable {
        var account: [UInt8]
        var place: [UInt8]
        /// It counts for an account wherever from.
        var isEverywhere: Bool { place.isEmpty }
        var rule: SignInBackOff.Rule {
            isEverywhere ? SignInBackOff.account : account.isEmpty ? SignInBackOff.place : SignInBackOff.pair
        }
    }

    private struct Counter {
        var failures = 0
        var lastAt: Timestamp
        var blockedUntil: Timestamp?
        var toldUntil: Timestamp?

        /// Counts what is left of a wait from now when the clock was set back since.
        mutating func follow(_ now: Timestamp) {
            guard lastAt - now > SignInBackOff.skew else { return }
            let until = blockedUntil.map { now.adding($0 - lastAt) }
            toldUntil = toldUntil == blockedUntil ? until : nil
            blockedUntil = until
            lastAt = now
        }
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
        for (key, _) in keys { counters[key]?.follow(now) }
        let binding = keys.filter { !(isKnown && $0.key.place.isEmpty) }.compactMap { key, _ in
            counters[key]?.blockedUntil.flatMap { $0 > now ? (key, $0) : nil }
        }.max { $0.1 < $1.1 }
        if let (key, until) = binding {
            let isFirst = counters[key]?.toldUntil != until
            counters[key]?.toldUntil = until
            return .wait(until: until, isFirst: isFirst)
        }
        let pair = keys.first.map { key, rule in Self.next(counters[key], rule, now) } ?? 0
        for (key, rule) in keys where pair <= SignInBackOff.pairShare || !key.isEverywhere {
            var counter = counters[key] ?? Counter(lastAt: now)
            counter.failures = Self.next(counter, rule, now)
            counter.lastAt = now
            counter.blockedUntil = rule.wait(after: counter.failures).map { now.adding($0) }
            counters[key] = counter
        }
        return .granted
    }

    package func end(_ attempt: SignInTry, _ end: SignInEnd) async throws(StoreError) {
        let keys = Self.keys(attempt)
        let pair = keys.first.flatMap { counters[$0.key]?.failures } ?? 0
        for (key, _) in keys where pair <= SignInBackOff.pairShare || !key.isEverywhere {
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

    package func prune(now: Timestamp, limit: Int) async throws(StoreError) -> Int {
        let old = counters.filter { key, counter in
            // In the table they stay for a day, whatever they are.
            now - counter.lastAt > (counter.failures < key.rule.few ? .seconds(3_600) : .seconds(86_400))
        }
        let left = places.filter { now - $0.value > SignInBackOff.knownPlaces }
        for key in old.keys.prefix(limit) { counters[key] = nil }
        for key in left.keys.prefix(limit) { places[key] = nil }
        return min(limit, max(old.count, left.count))
    }

    /// The failures of a counter with one more.
    private static func next(_ counter: Counter?, _ rule: SignInBackOff.Rule, _ now: Timestamp) -> Int {
        guard let counter, now - counter.lastAt <= rule.memory(of: counter.failures) else { return 1 }
        return counter.failures + 1
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
