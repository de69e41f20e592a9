import Agents
import Core
import Link
import Platform

@testable import Worker

/// A program in a sandbox that exists only here; a test's script plays it.
final class FakeProcess: SandboxProcess {
    let program: SandboxProgram
    private let changed = LoopCondition()
    private var output: [[UInt8]] = []
    private var errors: [[UInt8]] = []
    private var areStreamsOpen = true
    private(set) var exit: AgentExit?
    private(set) var input: [UInt8] = []
    private(set) var isInputClosed = false
    private(set) var signals: [Int32] = []
    /// Plays the program's reaction to a signal.
    var onSignal: (Int32) -> Void = { _ in }
    /// Plays the program's reaction to the end of its input.
    var onInputClosed: () -> Void = {}

    init(_ program: SandboxProgram) { self.program = program }

    func print(_ text: String) {
        output.append(Array(text.utf8))
        changed.signalAll()
    }

    func complain(_ text: String) {
        errors.append(Array(text.utf8))
        changed.signalAll()
    }

    /// Exits; its streams end when `leavesChildren` is false, else only with the sandbox.
    func end(_ exit: AgentExit, leavesChildren: Bool = false) {
        if self.exit == nil { self.exit = exit }
        if !leavesChildren { areStreamsOpen = false }
        changed.signalAll()
    }

    func readOutput() async -> [UInt8] {
        while output.isEmpty {
            guard areStreamsOpen else { return [] }
            await changed.wait()
        }
        return output.removeFirst()
    }

    func readErrors() async -> [UInt8] {
        while errors.isEmpty {
            guard areStreamsOpen else { return [] }
            await changed.wait()
        }
        return errors.removeFirst()
    }

    func write(_ bytes: [UInt8]) async -> Bool {
        guard exit == nil, !isInputClosed else { return false }
        input += bytes
        return true
    }

    func closeInput() {
        guard !isInputClosed else { return }
        isInputClosed = true
        onInputClosed()
    }

    func wait() async -> AgentExit {
        while true {
            if let exit { return exit }
            await changed.wait()
        }
    }

    func signal(_ number: Int32) async {
        signals.append(number)
        // Nothing survives SIGKILL.
        if number == 9 { return end(.signaled(9)) }
        onSignal(number)
    }

    func closePipes() {
        areStreamsOpen = false
        changed.signalAll()
    }
}

/// A sandbox that exists only here.
final class FakeSandbox: OpenSandbox {
    let id: String
    let workspace: SandboxWorkspace
    private let host: FakeSandboxes
    private(set) var processes: [FakeProcess] = []
    private(set) var isDestroyed = false
    private(set) var token: String?
    private(set) var model: ModelGrant?

    init(_ id: String, _ workspace: SandboxWorkspace, _ host: FakeSandboxes) {
        self.id = id
        self.workspace = workspace
        self.host = host
    }

    func serveModel(_ grant: ModelGrant, token: String) throws(SandboxRefusal) {
        (self.token, model) = (token, grant)
    }

    func run(_ program: SandboxProgram) async throws(SandboxRefusal) -> any SandboxProcess {
        if let refusal = host.programRefusal { throw refusal }
        let process = FakeProcess(program)
        processes.append(process)
        host.script(process)
        return process
    }

    func destroy() async {
        isDestroyed = true
        for process in processes { process.end(.signaled(9)) }
    }
}

/// Makes sandboxes that exist only here.
final class FakeSandboxes: SandboxHost {
    let isolation = "fake"
    private(set) var prepared: [PlacedProject] = []
    private(set) var opened: [FakeSandbox] = []
    /// Plays every program that is started.
    var script: (FakeProcess) -> Void
    private(set) var removed: [ProjectID] = []
    var openRefusal: SandboxRefusal?
    var removalRefusal: SandboxRefusal?
    var programRefusal: SandboxRefusal?

    init(_ script: @escaping (FakeProcess) -> Void = { $0.end(.exited(0)) }) { self.script = script }

    /// The programs of all sandboxes, oldest first.
    var processes: [FakeProcess] { opened.flatMap(\.processes) }

    func prepare(_ project: PlacedProject) async throws(SandboxRefusal) { prepared.append(project) }

    func remove(_ project: ProjectID) async throws(SandboxRefusal) {
        if let removalRefusal { throw removalRefusal }
        removed.append(project)
    }

    func open(
        _ id: String,
        on workspace: SandboxWorkspace,
        hasModel: Bool
    ) async throws(SandboxRefusal) -> any OpenSandbox {
        if let openRefusal { throw openRefusal }
        let sandbox = FakeSandbox(id, workspace, self)
        opened.append(sandbox)
        return sandbox
    }
}
