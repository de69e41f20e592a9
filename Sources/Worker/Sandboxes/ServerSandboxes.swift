import Agents
import Core
import Egress
import Glibc
import Link
import Platform
import Sandbox
import Transport

/// Sandboxes of the fork server.
final class ServerSandboxes: SandboxHost {
    private let server: SandboxServer
    private let loop: EventLoop
    private let tls: TLSClientContext?
    private let ephemeralBytes: UInt64
    private let report: (WorkerEvent) -> Void
    /// Called with true when the server hangs, and with false when it answers again.
    var onStall: (Bool) -> Void = { _ in }

    /// Uses a running server; `tls` is whom the model route trusts.
    init(
        _ server: SandboxServer,
        loop: EventLoop,
        tls: TLSClientContext?,
        ephemeralBytes: UInt64,
        report: @escaping (WorkerEvent) -> Void
    ) {
        self.server = server
        self.loop = loop
        self.tls = tls
        self.ephemeralBytes = ephemeralBytes
        self.report = report
        server.onStall = { [weak self] isStalled in
            report(.sandboxServer(isStalled ? "it does not answer: no job is taken" : "it answers again"))
            self?.onStall(isStalled)
        }
    }

    /// Calls back once the server is gone, at once when it is already: this process can run nothing any more.
    func whenGone(_ action: @escaping () -> Void) {
        server.onEnd = { [report] in
            report(.sandboxServer("it has ended"))
            action()
        }
        if server.hasEnded { server.onEnd() }
    }

    var isolation: String {
        let report = server.isolation
        return ([report.mode.rawValue] + report.degraded).joined(separator: "; ")
    }

    func prepare(_ project: PlacedProject) async throws(SandboxRefusal) {
        do throws(SandboxError) {
            try await server.prepareProject(project.id.description, uid: project.uidIndex)
        } catch {
            throw SandboxRefusal(error)
        }
    }

    func remove(_ project: ProjectID) async throws(SandboxRefusal) {
        do throws(SandboxError) {
            try await server.removeProject(project.description)
        } catch {
            throw SandboxRefusal(error)
        }
    }

    func open(
        _ id: String,
        on workspace: SandboxWorkspace,
        hasModel: Bool
    ) async throws(SandboxRefusal) -> any OpenSandbox {
        let mount: WorkspaceMount =
            switch workspace {
            case .project(let project, let readOnly):
                .project(name: project.id.description, uidIndex: project.uidIndex, readOnly: readOnly)
            case .ephemeral: .ephemeral(sizeBytes: ephemeralBytes)
            }
        let request = SandboxRequest(id: id, workspace: mount, listenerPort: hasModel ? 8080 : nil)
        do throws(SandboxError) {
            return ServedSandbox(try await server.create(request), loop: loop, tls: tls, report: report)
        } catch {
            throw SandboxRefusal(error)
        }
    }
}

/// One sandbox of the fork server, with the way to the model that it may have.
private final class ServedSandbox: OpenSandbox {
    private let space: SandboxProcessSpace
    private let loop: EventLoop
    private let tls: TLSClientContext?
    private let report: (WorkerEvent) -> Void
    private var broker: ModelBroker?

    init(
        _ space: SandboxProcessSpace,
        loop: EventLoop,
        tls: TLSClientContext?,
        report: @escaping (WorkerEvent) -> Void
    ) {
        self.space = space
        self.loop = loop
        self.tls = tls
        self.report = report
    }

    func serveModel(_ grant: ModelGrant, token: String) throws(SandboxRefusal) {
        let upstream: ModelUpstream
        do throws(ModelEndpointError) {
            upstream = try ModelUpstream(grant.endpoint, key: grant.apiKey, tls: tls)
        } catch {
            throw SandboxRefusal(step: "model route", text: "\(error)", number: 0, isProgramFault: false)
        }
        guard let descriptor = space.takeListener() else {
            throw SandboxRefusal(step: "model route", text: "no listener came out", number: 0, isProgramFault: false)
        }
        let listener: ListeningSocket
        do throws(PlatformError) {
            listener = try ListeningSocket(loop: loop, adopting: descriptor)
        } catch {
            throw SandboxRefusal(step: "model route", text: "\(error)", number: error.errno, isProgramFault: false)
        }
        let broker = ModelBroker(loop: loop, listener: listener, token: token, upstream: upstream)
        let (id, report) = (space.id, report)
        broker.onFault = { report(.modelFault(id, $0)) }
        self.broker = broker
        loop.spawnLocal { await broker.run() }
    }

    func run(_ program: SandboxProgram) async throws(SandboxRefusal) -> any SandboxProcess {
        var command = SandboxCommand(arguments: program.arguments, environment: program.environment)
        command.workingDirectory = program.workingDirectory
        command.stdin = program.takesInput ? .pipe : .null
        do throws(SandboxError) {
            return ServedProcess(try await space.run(command))
        } catch {
            throw SandboxRefusal(error)
        }
    }

    func destroy() async {
        broker?.close()
        broker = nil
        await space.destroy()
    }
}

/// One command in a sandbox of the fork server.
private final class ServedProcess: SandboxProcess {
    /// As much as a pipe holds.
    private static let readSize = 64 << 10

    private let command: SandboxedCommand

    init(_ command: SandboxedCommand) { self.command = command }

    func readOutput() async -> [UInt8] { await Self.read(command.stdout) }

    func readErrors() async -> [UInt8] { await Self.read(command.stderr) }

    func write(_ bytes: [UInt8]) async -> Bool {
        guard let input = command.stdin else { return false }
        do throws(PlatformError) {
            try await input.write(bytes)
            return true
        } catch {
            return false
        }
    }

    func closeInput() { command.stdin?.close() }

    func wait() async -> AgentExit {
        switch await command.wait() {
        case .exited(let code): .exited(code)
        case .signaled(let number): .signaled(number)
        // The sandbox was destroyed around it.
        case .lost: .signaled(SIGKILL)
        }
    }

    func signal(_ number: Int32) async { await command.signal(number) }

    func closePipes() {
        command.stdin?.close()
        command.stdout.close()
        command.stderr.close()
    }

    /// A pipe that fails is one that has ended.
    private static func read(_ pipe: ByteSocket) async -> [UInt8] {
        do throws(PlatformError) {
            return try await pipe.read(max: readSize)
        } catch {
            return []
        }
    }
}

extension SandboxRefusal {
    /// Steps that blame the program and not the sandbox.
    private static let programSteps: Set<String> = ["exec", "command"]

    fileprivate init(_ error: SandboxError) {
        let cause = unsafe strerror(error.errno).map { unsafe String(cString: $0) } ?? "error \(error.errno)"
        let isProgramFault = Self.programSteps.contains(error.step)
        // The message of a program's fault is its name, which whoever tells of it has said.
        let words = [isProgramFault && error.errno != 0 ? "" : error.message, error.errno == 0 ? "" : cause]
        self.init(
            step: error.step,
            text: words.filter { !$0.isEmpty }.joined(separator: ": "),
            number: error.errno,
            isProgramFault: isProgramFault
        )
    }
}
