import Auth
import Core
import HTTP
import Platform

/// Buckets that a request is charged in together, with the text that names their policies.
final class RateCharges {
    let buckets: [RateBucket]
    let policyField: String
    /// Always asks the shared buckets before it lets through: for what is rare and costly.
    let isStrict: Bool

    init(_ buckets: [RateBucket], isStrict: Bool = false) {
        self.buckets = buckets
        self.isStrict = isStrict
        policyField = buckets.map {
            RateLimitFields.policyItem($0.policy.name, quota: $0.policy.burst, window: $0.policy.window)
        }.joined(separator: ", ")
    }
}

/// What a request is told: the bucket nearest to its end.
struct RateVerdict {
    var isAllowed: Bool
    var charges: RateCharges
    var bucket: RateBucket
    var remaining: Int64
    /// Seconds, rounded up and at least one, until the bucket has more.
    var seconds: Int64
}

/// Decides on one loop which requests pass: on what the loop knows alone where that is enough, else by one question to
/// the shared buckets, with all questions of one turn in one round trip.
///
/// Whoever has no room here is refused without a question, so a flood costs the shared store nothing. Of a bucket that
/// is far from its limit the store is told afterwards: so each loop can let through a sixteenth of a burst too many, and
/// no more. Without an answer within `patience` the loop's own count decides: never unlimited, never closed.
final class RateGate {
    /// A store on the same network answers in less than a millisecond.
    private static let patience = Duration.milliseconds(50)
    /// What is owed waits this long for company.
    private static let delay = Duration.milliseconds(5)
    /// Charges of one script call, which holds Redis up for about a microsecond each.
    private static let batch = 256
    /// Unanswered calls of a store that is slow; beyond, what is owed waits.
    private static let unansweredCalls = 4

    private let shared: any SharedBuckets
    private let loop: EventLoop
    private let clock: () -> Int64
    private var indebted: [RateBucket] = []
    private var asking: [Question] = []
    private var isArmed = false
    private var timer: LoopTimer?
    /// When the calls that are not answered yet were sent, oldest first.
    private var unanswered: [Int64] = []

    /// A gate on the loop's clock, or on a test's.
    init(_ shared: any SharedBuckets, loop: EventLoop, clock: (() -> Int64)? = nil) {
        self.shared = shared
        self.loop = loop
        self.clock = clock ?? { [loop] in Int64(clamping: loop.now.nanoseconds / 1_000) }
    }

    /// Charges a request, or refuses it and charges nothing.
    func take(_ charges: RateCharges) async -> RateVerdict {
        let now = clock()
        for bucket in charges.buckets {
            let decision = bucket.judge(at: now)
            guard decision.isAllowed else {
                return refusal(charges, bucket, decision.retryAfter ?? bucket.policy.interval, decision.remaining)
            }
        }
        for bucket in charges.buckets { bucket.charge(1, at: now) }
        let mayAsk = shared.isReachable && !isSlow(now)
        guard mayAsk, charges.isStrict || !charges.buckets.allSatisfy({ $0.mayOwe(at: now) }) else {
            if shared.isReachable { owe(charges, 1) }
            return allowance(charges, at: now)
        }
        return await ask(charges)
    }

    /// Charges what has happened already, or for -1 gives it back.
    func settle(_ charges: RateCharges, _ cost: Int64 = 1) {
        let now = clock()
        for bucket in charges.buckets { bucket.charge(cost, at: now) }
        if shared.isReachable { owe(charges, cost) }
    }

    private func ask(_ charges: RateCharges) async -> RateVerdict {
        for bucket in charges.buckets { bucket.ask(1) }
        let question = Question(charges)
        asking.append(question)
        if !isArmed {
            isArmed = true
            // Whoever else asks in this turn gets on.
            loop.spawnLocal { [self] in
                isArmed = false
                flush()
            }
        }
        _ = await question.answered.wait(timeout: Self.patience, on: loop)
        let now = clock()
        guard let outcome = question.outcome, !outcome.isCharged else { return allowance(charges, at: now) }
        // The store's own numbers: what this loop expects besides must not make the wait longer.
        var (longest, tightest) = (Int64.min, charges.buckets[0])
        for (bucket, debt) in zip(charges.buckets, outcome.debts) {
            let wait = debt + bucket.policy.interval - bucket.policy.capacity
            if wait > longest { (longest, tightest) = (wait, bucket) }
        }
        return refusal(charges, tightest, longest, 0)
    }

    private func owe(_ charges: RateCharges, _ cost: Int64) {
        for bucket in charges.buckets {
            bucket.owe(cost)
            guard !bucket.isInLine else { continue }
            bucket.isInLine = true
            indebted.append(bucket)
        }
        if timer == nil { timer = loop.schedule(after: Self.delay) { [weak self] in self?.flush() } }
    }

    /// Sends everything that waits: what is owed first, since it came before.
    private func flush() {
        timer?.cancel()
        timer = nil
        if unanswered.count < Self.unansweredCalls {
            while !indebted.isEmpty { send(owed: takeIndebted(), questions: []) }
        }
        while !asking.isEmpty {
            var charges = 0
            let count = asking.prefix { question in
                charges += question.charges.buckets.count
                return charges <= Self.batch
            }.count
            let questions = Array(asking.prefix(max(count, 1)))
            asking.removeFirst(questions.count)
            send(owed: [], questions: questions)
        }
    }

    private func takeIndebted() -> [(bucket: RateBucket, cost: Int64)] {
        let taken = indebted.suffix(Self.batch)
        indebted.removeLast(taken.count)
        return taken.compactMap { bucket in
            bucket.isInLine = false
            return bucket.owed == 0 ? nil : (bucket, bucket.takeOwed())
        }
    }

    private func send(owed: [(bucket: RateBucket, cost: Int64)], questions: [Question]) {
        var calls = questions.map { question in
            RateCall(question.charges.buckets.map { RateCharge(key: $0.key, policy: $0.policy, cost: 1) })
        }
        if !owed.isEmpty {
            let charges = owed.map { RateCharge(key: $0.bucket.key, policy: $0.bucket.policy, cost: $0.cost) }
            calls.append(RateCall(charges, isOwed: true))
        }
        guard !calls.isEmpty else { return }
        unanswered.append(clock())
        shared.settle(calls) { [self] outcomes in
            unanswered.removeFirst()
            let now = clock()
            for (place, question) in questions.enumerated() {
                let outcome = outcomes?[place]
                for (index, bucket) in question.charges.buckets.enumerated() {
                    hear(outcome?.debts[index], bucket, 1, now)
                }
                question.outcome = outcome
                question.answered.signalAll()
            }
            for (index, entry) in owed.enumerated() {
                hear(outcomes?.last?.debts[index], entry.bucket, entry.cost, now)
            }
            if !indebted.isEmpty, timer == nil { flush() }
        }
    }

    private func hear(_ debt: Int64?, _ bucket: RateBucket, _ cost: Int64, _ now: Int64) {
        if let debt { bucket.hear(debt: debt, of: cost, at: now) } else { bucket.miss(cost) }
    }

    /// Whether the store has let a call wait for too long; then nobody waits for it until it answers again.
    private func isSlow(_ now: Int64) -> Bool {
        guard let oldest = unanswered.first else { return false }
        return now - oldest > Self.patience.wholeMicroseconds
    }

    private func allowance(_ charges: RateCharges, at now: Int64) -> RateVerdict {
        var (least, tightest) = (Int64.max, charges.buckets[0])
        for bucket in charges.buckets {
            let remaining = bucket.room(at: now)
            if remaining < least { (least, tightest) = (remaining, bucket) }
        }
        // The time of one request at most: then there is one more.
        return verdict(charges, tightest, isAllowed: true, tightest.policy.interval, max(least, 0))
    }

    private func refusal(_ charges: RateCharges, _ bucket: RateBucket, _ wait: Int64, _ remaining: Int64) -> RateVerdict
    {
        verdict(charges, bucket, isAllowed: false, wait, remaining)
    }

    private func verdict(
        _ charges: RateCharges,
        _ bucket: RateBucket,
        isAllowed: Bool,
        _ wait: Int64,
        _ remaining: Int64
    ) -> RateVerdict {
        RateVerdict(
            isAllowed: isAllowed,
            charges: charges,
            bucket: bucket,
            remaining: remaining,
            seconds: max(1, (wait + 999_999) / 1_000_000)
        )
    }
}

/// A request that waits for the shared buckets.
private final class Question {
    let charges: RateCharges
    let answered = LoopCondition()
    var outcome: RateOutcome?

    init(_ charges: RateCharges) {
        self.charges = charges
    }
}
