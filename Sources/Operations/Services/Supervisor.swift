package import Platform

/// A service never became ready.
package struct SupervisorError: Error, Hashable, CustomStringConvertible {
    /// The service.
    package let service: String
    /// What ended its last try.
    package let reason: String

    /// Names the service and the reason.
    package var description: String { "the service \(service) did not start: \(reason)" }
}

/// Runs services as child processes by the decisions of `SupervisorMachine`; loop-confined.
///
/// Children lead sessions of their own, so that a terminal's interrupt reaches only this process, and get their stop
/// signal from the kernel when this process dies, unless their description names another.
package final class Supervisor {
    private static let probeInterval = Duration.milliseconds(50)

    private let loop: EventLoop
    private let log: StructuredLog
    private var services: [Service]
    private var machine: SupervisorMachine
    private var children: [ChildProcess?]
    private var timer: LoopTimer?
    private var isStarted = false
    private var isFinished = false
    private var failure: SupervisorError?
    private var lastReasons: [String: String] = [:]
    private let changed = LoopCondition()
    /// Called when a service has been started, also when it died and was started again.
    package var onLaunch: () -> Void = {}

    /// Prepares to run services in their order.
    package init(services: [Service], log: StructuredLog, loop: EventLoop, backOff: BackOff = BackOff()) {
        self.services = services
        self.log = log
        self.loop = loop
        machine = SupervisorMachine(services.map(\.policy), backOff: backOff)
        children = services.map { _ in nil }
    }

    /// Adds a service behind the others; it starts with the next `start`.
    package func append(_ service: Service) {
        services.append(service)
        children.append(nil)
        machine.append(service.policy)
    }

    /// Starts what was never started and returns when everything is ready, or throws what did not become so.
    package func start() async throws(SupervisorError) {
        isStarted = false
        apply(machine.start())
        while !isStarted, failure == nil, !isFinished { await changed.wait() }
        if let failure { throw failure }
        if !isStarted { throw SupervisorError(service: "all", reason: "stopped while starting") }
    }

    /// Stops everything, the last service first, and returns when all have ended.
    package func stop() async {
        apply(machine.stop(at: loop.now))
        while !isFinished { await changed.wait() }
    }

    /// The process number of a service while it runs.
    package func pid(of name: String) -> Int32? {
        services.firstIndex { $0.name == name }.flatMap { children[$0]?.pid }
    }

    private func apply(_ actions: [SupervisorMachine.Action]) {
        for action in actions {
            switch action {
            case .launch(let index, let number): loop.spawnLocal { [self] in await launch(index, number) }
            case .probe(let index, let number): loop.spawnLocal { [self] in await probe(index, number) }
            case .signal(let index, let number): children[index]?.signal(number)
            case .report(let event): report(event)
            case .started: isStarted = true
            case .gaveUp(let index):
                let name = services[index].name
                failure = SupervisorError(service: name, reason: lastReasons[name] ?? "unknown")
            case .finished: isFinished = true
            }
        }
        timer?.cancel()
        timer = machine.nextDeadline.map { deadline in
            loop.schedule(after: deadline - loop.now) { [self] in apply(machine.timePassed(at: loop.now)) }
        }
        changed.signalAll()
    }

    private func launch(_ index: Int, _ number: Int) async {
        let child: ChildProcess
        do {
            var spec = try await services[index].makeSpec()
            spec.newSession = true
            // A description that asks for another signal of its own keeps it.
            if !spec.dieWithParent { spec.parentDeathSignal = services[index].policy.stopSignal }
            spec.dieWithParent = true
            child = try ChildProcess.spawn(spec, on: loop)
        } catch {
            return apply(machine.launchFailed(index, "\(error)", at: loop.now))
        }
        children[index] = child
        log.info("service started", .text("service", services[index].name), .integer("pid", child.pid))
        for stream in [child.stdout, child.stderr].compactMap({ $0 }) {
            ServiceOutput(service: services[index].name, log: log).follow(stream, on: loop)
        }
        apply(machine.launched(index, at: loop.now))
        onLaunch()
        let status = await child.wait()
        children[index] = nil
        apply(machine.exited(index, status, at: loop.now))
    }

    private func probe(_ index: Int, _ number: Int) async {
        guard let child = children[index] else { return }
        while child.status == nil, children[index] === child {
            if await services[index].isReady() {
                // The answer may have come from a program that has ended meanwhile.
                guard child.status == nil else { return }
                return apply(machine.becameReady(index, number: number, at: loop.now))
            }
            await loop.sleep(Self.probeInterval)
        }
    }

    private func report(_ event: SupervisorEvent) {
        switch event {
        case .ready(let name): log.info("service ready", .text("service", name))
        case .notReady(let name): log.error("service not ready in time", .text("service", name))
        case .failed(let name, let reason, let delay):
            lastReasons[name] = reason
            let wait = delay.map { LogField.seconds("retry_in", $0) }
            log.log(
                .error,
                "service ended",
                [.text("service", name), .text("reason", reason)] + (wait.map { [$0] } ?? [])
            )
        case .stopped(let name): log.info("service stopped", .text("service", name))
        case .killed(let name): log.warning("service killed after its grace", .text("service", name))
        }
    }
}
