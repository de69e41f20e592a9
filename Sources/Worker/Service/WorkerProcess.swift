import Core
import Glibc
import Link
package import Platform
import Sandbox
import Transport

/// The worker as a process: starts the sandbox server, gives up root, enrols, links and serves.
package enum WorkerProcess {
    /// Runs a worker on this loop until `stop` is signalled and it has drained.
    package static func run(
        _ configuration: WorkerConfiguration,
        on loop: EventLoop,
        stop: LoopCondition
    ) async throws(WorkerError) {
        let isStopped = StopFlag(stop, loop: loop)
        try prepareDirectories(configuration)
        let lock = try takeLock(configuration)
        let server = try await startServer(configuration, on: loop)
        if Privileges.isRoot, let identity = configuration.runAs {
            try Privileges.drop(to: identity, keeping: configuration.parentDeath)
        }
        do throws(WorkerError) {
            try await serve(configuration, server: server, on: loop, isStopped: isStopped)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
        // The lock is held up to here.
        _ = consume lock
    }

    private static func serve(
        _ configuration: WorkerConfiguration,
        server: SandboxServer,
        on loop: EventLoop,
        isStopped: StopFlag
    ) async throws(WorkerError) {
        let report: (WorkerEvent) -> Void = { configuration.onEvent($0) }
        let sandboxes = ServerSandboxes(
            server,
            loop: loop,
            tls: try trust(configuration.modelAuthorities),
            ephemeralBytes: configuration.ephemeralBytes,
            report: report
        )
        guard let transport = try await link(configuration, on: loop, isStopped: isStopped) else { return }
        let shelf: ProjectShelf
        do throws(ShelfError) {
            let path = configuration.stateDirectory + "/projects.json"
            shelf = try ProjectShelf(path: path, users: server.isolation.projectUIDs, sandboxes: sandboxes)
        } catch {
            throw .storage(error.description)
        }
        let agentVersion = await AgentProbe.version(configuration, sandboxes: sandboxes, loop: loop)
        let directory = SpoolDirectory(path: configuration.stateDirectory + "/spool")
        let table = AttemptTable(
            slots: min(configuration.slots, LinkProtocol.slots),
            directory: directory,
            budget: SpoolBudget(limit: configuration.spoolBytes),
            surroundings: AttemptRunner.Surroundings(
                loop: loop,
                sandboxes: sandboxes,
                shelf: shelf,
                agentVersion: agentVersion,
                outputBytes: configuration.outputBytes
            ),
            report: report
        )
        do {
            for recovered in try await BlockingPool.run({ try directory.recover() }) { table.adopt(recovered) }
        } catch {
            throw .storage("\(error)")
        }
        let service = WorkerService(
            WorkerService.Parts(
                loop: loop,
                transport: transport,
                table: table,
                desk: TransferDesk(shelf: shelf, sandboxes: sandboxes, loop: loop, report: report),
                epochs: EpochFile(path: configuration.stateDirectory + "/session.json"),
                agentVersion: agentVersion,
                isolation: sandboxes.isolation,
                report: report
            )
        )
        sandboxes.whenGone { [weak service] in service?.fail(.sandbox("the sandbox server has ended")) }
        sandboxes.onStall = { isStalled in table.isPaused = isStalled }
        isStopped.whenStopped { [weak service] in
            loop.spawnLocal { await service?.drain(limit: configuration.drainLimit) }
        }
        try await service.run()
    }

    /// The way to the API as this worker, enrolling it when need be; nil when it was stopped before that.
    private static func link(
        _ configuration: WorkerConfiguration,
        on loop: EventLoop,
        isStopped: StopFlag
    ) async throws(WorkerError) -> HTTPLinkTransport? {
        guard let base = ClientURL(configuration.apiURL) else {
            throw .refused("\(configuration.apiURL) is no http or https address")
        }
        let client = HTTPClient(loop: loop, tls: base.isSecure ? try trust(configuration.apiAuthorities) : nil)
        let path = configuration.stateDirectory + "/worker.json"
        if let known = try Enrolment.load(path) {
            return HTTPLinkTransport(client: client, base: base, credential: known)
        }
        guard let token = configuration.enrolmentToken else { throw .notEnrolled }
        var backoff = Backoff()
        while !isStopped.isSet {
            do throws(WorkerError) {
                let fresh = try await Enrolment.enrol(token: token, client: client, base: base, path: path)
                configuration.onEvent(.enrolled(fresh.worker))
                return HTTPLinkTransport(client: client, base: base, credential: fresh)
            } catch {
                guard case .unreachable(let reason) = error else { throw error }
                configuration.onEvent(.linkLost(reason))
                await isStopped.wait(atMost: backoff.next(random: Double.random(in: 0...1)))
            }
        }
        return nil
    }

    private static func trust(_ authorities: String?) throws(WorkerError) -> TLSClientContext {
        do throws(TLSError) {
            return try TLSClientContext(caFile: authorities)
        } catch {
            throw .storage(error.description)
        }
    }
}

// MARK: - Start-up

extension WorkerProcess {
    private static func prepareDirectories(_ configuration: WorkerConfiguration) throws(WorkerError) {
        let successor = Privileges.isRoot ? configuration.runAs : nil
        do throws(PlatformError) {
            try Files.createDirectory(configuration.dataDirectory, mode: successor == nil ? 0o700 : 0o711)
            if successor != nil {
                // The user the worker becomes reaches what is its own, and can put nothing in the way of the next root.
                try Files.setOwner(configuration.dataDirectory, userID: 0, groupID: 0)
                try Files.setMode(configuration.dataDirectory, 0o711)
            }
            try Files.createDirectory(configuration.projectsDirectory, mode: 0o700)
            try Files.createDirectory(configuration.stateDirectory, mode: 0o700)
            if let successor {
                try Files.setOwner(
                    configuration.stateDirectory,
                    userID: successor.userID,
                    groupID: successor.groupID
                )
            }
        } catch {
            throw .storage(error.description)
        }
    }

    private static func takeLock(_ configuration: WorkerConfiguration) throws(WorkerError) -> OwnedDescriptor {
        let held: OwnedDescriptor?
        do throws(PlatformError) {
            held = try Files.lock(configuration.dataDirectory + "/lock")
        } catch {
            throw .storage(error.description)
        }
        guard let held else { throw .dataDirectoryInUse(configuration.dataDirectory) }
        return held
    }

    private static func startServer(
        _ configuration: WorkerConfiguration,
        on loop: EventLoop
    ) async throws(WorkerError) -> SandboxServer {
        var options = SandboxServerOptions(
            executable: configuration.sandboxExecutable,
            projectsRoot: configuration.projectsDirectory,
            agentDirectory: configuration.agentDirectory
        )
        options.uidBase = configuration.uidBase
        options.uidCount = configuration.uidCount
        do throws(SandboxError) {
            return try await SandboxServer.start(options, on: loop)
        } catch {
            throw .sandbox(error.description)
        }
    }
}

/// Remembers that a condition was signalled, also before anybody asks.
private final class StopFlag {
    private(set) var isSet = false
    private let condition: LoopCondition
    private let loop: EventLoop
    private var action: (() -> Void)?

    init(_ condition: LoopCondition, loop: EventLoop) {
        self.condition = condition
        self.loop = loop
        loop.spawnLocal { [self] in
            await condition.wait()
            isSet = true
            action?()
        }
    }

    /// Waits for a time, or until stopped.
    func wait(atMost duration: Duration) async {
        if !isSet { _ = await condition.wait(timeout: duration, on: loop) }
    }

    /// Calls back once stopped, at once when that was before.
    func whenStopped(_ action: @escaping () -> Void) {
        if isSet { return action() }
        self.action = action
    }
}
