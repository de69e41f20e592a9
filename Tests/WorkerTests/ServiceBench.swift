import Agents
import Core
import Link
import Platform

@testable import Worker

/// A whole worker in memory, but for its spool and its sandboxes.
final class ServiceBench {
    let loop: EventLoop
    let api: FakeAPI
    let sandboxes: FakeSandboxes
    let table: AttemptTable
    let service: WorkerService
    let directory: SpoolDirectory
    private(set) var events: [WorkerEvent] = []
    private(set) var outcome: Result<Void, WorkerError>?

    /// A worker whose programs are played by `script`, or run in the sandboxes of `host`.
    init(
        _ loop: EventLoop,
        _ path: String,
        api: FakeAPI? = nil,
        slots: Int = 2,
        host: (any SandboxHost)? = nil,
        script: @escaping (FakeProcess) -> Void = { $0.end(.exited(0)) }
    ) throws {
        self.loop = loop
        let api = api ?? FakeAPI(loop)
        self.api = api
        let fakes = FakeSandboxes(script)
        self.sandboxes = fakes
        let sandboxes = host ?? fakes
        let shelf = try ProjectShelf(path: path + "/projects.json", users: 8, sandboxes: sandboxes)
        directory = SpoolDirectory(path: path + "/spool")
        let log = EventLog()
        var surroundings = AttemptRunner.Surroundings(
            loop: loop,
            sandboxes: sandboxes,
            shelf: shelf,
            agentVersion: nil
        )
        surroundings.times.terminateGrace = .milliseconds(50)
        table = AttemptTable(
            slots: slots,
            directory: directory,
            budget: SpoolBudget(limit: 1 << 30),
            surroundings: surroundings,
            report: { log.take($0) }
        )
        for recovered in try directory.recover() { table.adopt(recovered) }
        let parts = WorkerService.Parts(
            loop: loop,
            transport: api,
            table: table,
            desk: TransferDesk(shelf: shelf, sandboxes: sandboxes, loop: loop, report: { log.take($0) }),
            epochs: EpochFile(path: path + "/session.json"),
            agentVersion: nil,
            isolation: "fake",
            report: { log.take($0) }
        )
        service = WorkerService(parts)
        log.take = { [weak self] in self?.events.append($0) }
    }

    /// Starts the service; it ends with `stop`.
    func start() {
        loop.spawnLocal { [self] in
            do throws(WorkerError) {
                try await service.run()
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
        }
    }

    /// Starts the service and waits until it is linked.
    func link() async throws {
        let before = api.claims.count
        start()
        try await until("linked") { self.api.claims.count > before && self.api.hasBulk }
    }

    /// Drains the service and waits for its end.
    func stop() async throws {
        loop.spawnLocal { [self] in await service.drain(limit: .seconds(1)) }
        try await until("stopped") { self.outcome != nil }
    }

    /// Waits until something holds.
    func until(_ what: String, _ holds: () -> Bool) async throws {
        guard await eventually(on: loop, holds) else { throw Unexpected("never: \(what)") }
    }

    func has(_ matches: (WorkerEvent) -> Bool) -> Bool { events.contains(where: matches) }
}

/// Lets the bench hear events of parts that are made before it.
private final class EventLog {
    var take: (WorkerEvent) -> Void = { _ in }
}
