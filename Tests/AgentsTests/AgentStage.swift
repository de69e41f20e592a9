import Agents
import Core
import Egress
import Glibc
import Platform
import Standin
import Testing

/// A real CLI at work for one test: directories of its own, the stand-in on loopback, nothing inherited.
final class AgentStage {
    /// What a run came to.
    struct Run {
        var records: [(stream: LogStream, text: String)] = []
        var answer = ""
        var outcome: AgentOutcome
        /// The bodies of all requests that the stand-in got.
        var requests: [String] = []

        func lines(containing part: String) -> [String] {
            records.filter { $0.stream == .agent && $0.text.contains(part) }.map(\.text)
        }
    }

    let directory: String
    let places: AgentPlaces
    /// Changes what would be started, for controls.
    var alter: (inout AgentLaunch) -> Void = { _ in }
    /// Called with each record; what it returns is done.
    var react: (String, inout any AgentMachine) -> [AgentAction] = { _, _ in [] }

    private let loop: EventLoop
    private let standin: StandinServer
    /// The way to the stand-in, when there is one.
    let broker: ModelBroker?
    private var machine: any AgentMachine
    private var child: ChildProcess?
    private var records: [(stream: LogStream, text: String)] = []
    private var answer = ""
    private var requests: [String] = []
    private var killedBecause: JobReason?
    private var openStreams = 2
    private let drained = LoopCondition()

    /// What opens the stand-in when a broker stands before it.
    static let key = "canary-key"
    private static let token = "attempt-token"

    /// Runs `body` on a loop of its own with a stage that is taken down afterwards; agents reach the stand-in directly
    /// or, as in a sandbox, through a broker that adds the key.
    static func run(
        throughBroker: Bool = false,
        _ body: @escaping @Sendable (AgentStage) async throws -> Void
    ) async throws {
        let named = unsafe getenv(ClaudeExecutable.variable).map { unsafe String(cString: $0) }
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) }
        let executable = try ClaudeExecutable.locate(ClaudeExecutable.candidates(named: named, searchPath: path))
        let loop = try EventLoop.start(name: "stage")
        defer { loop.stop() }
        try await loop.run {
            let stage = try AgentStage(loop, executable, throughBroker: throughBroker)
            defer {
                stage.broker?.close()
                stage.standin.close()
                try? Files.removeTree(stage.directory)
            }
            loop.spawnLocal { await stage.standin.run() }
            loop.spawnLocal { await stage.broker?.run() }
            try await body(stage)
        }
    }

    private init(_ loop: EventLoop, _ executable: String, throughBroker: Bool) throws {
        self.loop = loop
        directory = "/tmp/errand-agent-\(UInt64.random(in: 0...UInt64.max))"
        let key = throughBroker ? Self.key : Self.token
        standin = StandinServer(loop: loop, listener: try Self.listener(loop), expectedKey: key)
        var route = standin.address
        if throughBroker {
            let endpoint = ModelEndpoint(
                provider: .anthropic,
                baseURL: "http://127.0.0.1:\(route.port)",
                reach: .anywhere
            )
            let upstream = try ModelUpstream(endpoint, key: Self.key, tls: nil)
            let broker = ModelBroker(
                loop: loop,
                listener: try Self.listener(loop),
                token: Self.token,
                upstream: upstream
            )
            route = broker.address
            self.broker = broker
        } else {
            broker = nil
        }
        places = AgentPlaces(
            executable: executable,
            workspace: directory + "/workspace",
            home: directory + "/home",
            configDirectory: directory + "/config",
            temporaryDirectory: directory + "/tmp",
            searchPath: "/usr/local/bin:/usr/bin:/bin",
            modelURL: "http://127.0.0.1:\(route.port)"
        )
        machine = CommandAgent(program: "none")
        for path in [places.workspace, places.home, places.configDirectory, places.temporaryDirectory] {
            try Files.createDirectory(path)
        }
        standin.onRequest = { [weak self] in self?.requests.append("\($0)\n\(String(decoding: $1, as: UTF8.self))") }
    }

    private static func listener(_ loop: EventLoop) throws -> ListeningSocket {
        try ListeningSocket.bind(.ipv4([127, 0, 0, 1], port: 0), on: loop, reusePort: false, backlog: 64)
    }

    /// Puts a file into the workspace.
    func put(_ name: String, _ text: String) throws {
        let path = "\(places.workspace)/\(name)"
        if let slash = path.lastIndex(of: "/") { try Files.createDirectory(String(path[..<slash])) }
        try Files.writeAtomically(path, [UInt8](text.utf8), mode: 0o600)
    }

    /// The text of a file in the workspace, nil when there is none.
    func text(of name: String) throws -> String? {
        let path = "\(places.workspace)/\(name)"
        return Files.exists(path) ? String(decoding: try Files.readAll(path, limit: 1 << 20), as: UTF8.self) : nil
    }

    /// Runs the CLI to its end.
    func run(
        _ prompt: String,
        policy: AgentPolicy = .contained,
        maxTurns: Int? = nil,
        retries: Int = 1
    ) async throws -> Run {
        let spec = ClaudeSpec(prompt: prompt, model: nil, maxTurns: maxTurns)
        var plan = try AgentPlan.make(
            work: .claude(spec),
            policy: policy,
            modelToken: Self.token,
            places: places
        )
        plan.launch.environment = plan.launch.environment.map {
            $0.0 == "CLAUDE_CODE_MAX_RETRIES" ? ($0.0, String(retries)) : $0
        }
        alter(&plan.launch)
        machine = plan.machine
        let exit = try await drive(plan.launch)
        let outcome = machine.outcome(exit: exit, killedBecause: killedBecause)
        return Run(records: records, answer: answer, outcome: outcome, requests: requests)
    }

    private func drive(_ launch: AgentLaunch) async throws -> AgentExit {
        var spec = ProcessSpec(path: launch.arguments[0], arguments: launch.arguments)
        spec.environment = Dictionary(uniqueKeysWithValues: launch.environment)
        spec.workingDirectory = launch.workingDirectory
        (spec.standardInput, spec.standardOutput, spec.standardError) = (.pipe, .pipe, .pipe)
        spec.newSession = true
        let child = try ChildProcess.spawn(spec, on: loop)
        self.child = child
        defer { child.signalGroup(SIGKILL) }
        let alarm = loop.schedule(after: .seconds(120)) { child.signal(SIGKILL) }
        defer { alarm.cancel() }
        try await child.stdin?.write(launch.firstInput)
        loop.spawnLocal { [self] in await pump(child.stdout) { $0.receive(stdout: $1) } }
        loop.spawnLocal { [self] in await pump(child.stderr) { $0.receive(stderr: $1) } }
        let status = await child.wait()
        while openStreams > 0 { await drained.wait() }
        perform(machine.outputEnded())
        return switch status {
        case .exited(let code): .exited(code)
        case .signaled(let number): .signaled(number)
        }
    }

    private func pump(
        _ socket: ByteSocket?,
        _ feed: (inout any AgentMachine, [UInt8]) -> [AgentAction]
    ) async {
        while let bytes = try? await socket?.read(max: 65_536), !bytes.isEmpty { perform(feed(&machine, bytes)) }
        openStreams -= 1
        drained.signalAll()
    }

    private func perform(_ actions: [AgentAction]) {
        for action in actions {
            switch action {
            case .record(let stream, let bytes):
                let text = String(decoding: bytes, as: UTF8.self)
                records.append((stream, text))
                perform(react(text, &machine))
            case .send(let bytes): loop.spawnLocal { [child] in try? await child?.stdin?.write(bytes) }
            case .closeInput: child?.stdin?.close()
            case .answer(let text): answer += text
            case .ended: break
            case .stop(let reason, _):
                killedBecause = reason
                child?.signal(SIGTERM)
            }
        }
    }
}
