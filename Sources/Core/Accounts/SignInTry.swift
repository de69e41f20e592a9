package import Bytes

/// One try to sign in, as it is counted.
package struct SignInTry: Sendable, Equatable {
    /// SHA-256 of the address that was typed, whether there is an account or not.
    package var account: [UInt8]
    /// The block of addresses that it comes from, or the device that proved itself.
    package var place: [UInt8]
    /// The place is a device that was signed in from before: it answers for itself alone.
    package var isKnownDevice: Bool
    package var begunAt: Timestamp

    /// Describes a try.
    package init(account: [UInt8], place: [UInt8], isKnownDevice: Bool, begunAt: Timestamp) {
        self.account = account
        self.place = place
        self.isKnownDevice = isKnownDevice
        self.begunAt = begunAt
    }
}

/// Whether a try may be judged.
package enum SignInLeave: Sendable, Equatable {
    /// It is counted as a failure until it is said to be none.
    case granted
    /// It is not counted; `isFirst` for the first that a back-off refuses.
    case wait(until: Timestamp, isFirst: Bool)
}

/// How a try ended that was not a failure.
package enum SignInEnd: Sendable, CaseIterable {
    /// The secret was right.
    case right
    /// Nobody judged it.
    case undecided
}

/// The counters of failed sign-ins, each with its back-off of 1, 2, 4 … seconds.
package enum SignInBackOff {
    /// How a counter grows.
    package struct Rule: Sendable {
        /// The failure that begins the back-off.
        package let first: Int
        /// The longest wait in seconds.
        package let longest: Int
        /// A counter without failures for this long begins anew.
        package let memory: Duration
        /// Fewer failures than this are forgotten after an hour: floods of tries leave such counters by the million.
        package let few: Int

        /// How long a counter with so many failures is remembered.
        package func memory(of failures: Int) -> Duration {
            failures < few ? min(memory, .seconds(3_600)) : memory
        }

        /// How long to wait after so many failures; nil for not at all.
        package func wait(after failures: Int) -> Duration? {
            failures < first ? nil : .seconds(min(longest, 1 << min(failures - first, 30)))
        }
    }

    /// An account at one place: a person mistypes, a guesser gets a try a minute.
    package static let pair = Rule(first: 5, longest: 60, memory: .seconds(86_400), few: 3)
    /// An account everywhere but where it was signed in to: one in five minutes after the hundred that NIST allows.
    package static let account = Rule(first: 100, longest: 300, memory: .seconds(86_400), few: 10)
    /// A place whatever the account: an office mistypes, who tries one password on many accounts gets a try a minute.
    package static let place = Rule(first: 20, longest: 60, memory: .seconds(3_600), few: 20)
    /// So many of a pair's failures count for its account: one place alone cannot make the others wait.
    package static let pairShare = 10
    /// A counter that is further ahead than servers' clocks differ was written before the clock was set back.
    package static let skew = Duration.seconds(60)
    /// A place where an account was signed in to stays known for this long.
    package static let knownPlaces = Duration.seconds(90 * 86_400)
}
