import Platform

/// How a service is watched, started again and stopped.
package struct ServicePolicy: Hashable, Sendable {
    /// The name in the log.
    package var name: String
    /// The signal that asks the service to end.
    package var stopSignal: Int32
    /// How long it may take to end before it is killed.
    package var grace: Duration
    /// How long it may take to become ready before it is killed and started again.
    package var readyTimeout: Duration

    /// Describes a service's supervision.
    package init(name: String, stopSignal: Int32, grace: Duration, readyTimeout: Duration) {
        self.name = name
        self.stopSignal = stopSignal
        self.grace = grace
        self.readyTimeout = readyTimeout
    }
}

/// The growing wait before a service that died is started again.
package struct BackOff: Hashable, Sendable {
    /// The wait after the first failure; it doubles with each further one.
    package var first = Duration.milliseconds(100)
    /// The longest wait.
    package var longest = Duration.seconds(10)
    /// A service that ran so long is taken to be healthy: its next failure counts as the first.
    package var healthyAfter = Duration.seconds(30)
    /// Failures before a service was ever ready, after which the start is given up.
    package var startAttempts = 5

    /// The usual waits: 0.1 s to 10 s.
    package init() {}

    /// The wait after so many failures in a row.
    package func delay(failures: Int) -> Duration {
        var delay = first
        for _ in 1..<max(1, failures) where delay < longest { delay = delay * 2 }
        return min(delay, longest)
    }
}
