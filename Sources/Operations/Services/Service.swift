import Glibc
package import Platform

/// A program that the supervisor keeps running; loop-confined.
package struct Service {
    /// How it is watched and stopped.
    package let policy: ServicePolicy
    /// Makes the program's description for each launch.
    package let makeSpec: () async throws -> ProcessSpec
    /// Asks whether it serves.
    package let isReady: () async -> Bool

    /// Describes a service; one without a check of its own is ready as soon as it runs.
    package init(
        name: String,
        stopSignal: Int32 = SIGTERM,
        grace: Duration = .seconds(30),
        readyTimeout: Duration = .seconds(60),
        makeSpec: @escaping () async throws -> ProcessSpec,
        isReady: @escaping () async -> Bool = { true }
    ) {
        policy = ServicePolicy(name: name, stopSignal: stopSignal, grace: grace, readyTimeout: readyTimeout)
        self.makeSpec = makeSpec
        self.isReady = isReady
    }

    /// The name in the log.
    package var name: String { policy.name }
}
