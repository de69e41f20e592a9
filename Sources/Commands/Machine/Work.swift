import Glibc
import Operations
package import Platform
import Worker

/// `errand work`: one worker machine, linked to the API.
package struct Work: Verb {
    package static let words = ["work"]
    package static let usage = ""
    package static let summary = "Run a worker; ERRAND_API_URL and ERRAND_WORKER_TOKEN say where and as whom."
    package static let signals = [SIGTERM, SIGINT]

    /// Read here, because a verb is made on the main thread and runs on its loop's.
    private let parentDeath = ParentDeath.inherited()

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let configuration = try Configuration.takeOver()
        let log = try StructuredLog(level: configuration.logLevel)
        guard let url = configuration.apiURL else {
            throw CommandFailure("ERRAND_API_URL is not set: name the API, such as https://errand.example.org:8443")
        }
        var worker = WorkerConfiguration(
            apiURL: url,
            dataDirectory: configuration.dataDirectory,
            sandboxExecutable: configuration.sandboxPath ?? SharedFiles.sandbox
        )
        worker.apiAuthorities = configuration.apiCA
        worker.slots = configuration.workerSlots
        worker.outputBytes = configuration.jobOutputBytes
        worker.agentDirectory = try await agentDirectory(configuration)
        worker.enrolmentToken = configuration.workerToken?.reveal()
        worker.parentDeath = parentDeath
        worker.drainLimit = configuration.shutdownGrace
        worker.onEvent = { event in log.log(event.isFault ? .warning : .info, event.description) }
        if let name = configuration.workerUser {
            guard let user = SystemUser.find(name) else {
                throw CommandFailure("there is no account \(name): ERRAND_WORKER_USER must name one")
            }
            worker.runAs = WorkerConfiguration.Identity(userID: user.userID, groupID: user.groupID)
        }
        let stop = LoopCondition()
        let signals = try SignalStream(Work.signals, on: loop)
        loop.spawnLocal {
            _ = await signals.next()
            stop.signalAll()
        }
        do {
            try await WorkerProcess.run(worker, on: loop, stop: stop)
        } catch {
            log.error("worker ended", .text("error", "\(error)"))
            log.close()
            throw CommandFailure("\(error)")
        }
        signals.close()
        log.close()
        return ExitCode.done
    }

    /// The directory of the agent's program, which the sandbox shows at a fixed place.
    private func agentDirectory(_ configuration: Configuration) async throws -> String? {
        guard let path = configuration.agentPath ?? Program.find("claude") else { return nil }
        let real = try await BlockingPool.run { try Files.resolved(path) }
        guard let slash = real.lastIndex(of: "/"), real[real.index(after: slash)...] == "claude" else {
            throw CommandFailure("ERRAND_AGENT_PATH must lead to a program called claude, not to \(real)")
        }
        return String(real[..<slash])
    }
}

extension WorkerEvent {
    /// Whether an operator should look at it.
    fileprivate var isFault: Bool {
        switch self {
        case .linkLost, .fenced, .recovered, .transferFailed, .removalFailed, .storageFault, .modelFault, .agentFault,
            .sandboxServer:
            true
        case .enrolled, .linked, .began, .ended, .draining: false
        }
    }
}
