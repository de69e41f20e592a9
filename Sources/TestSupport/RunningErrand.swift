package import Bytes
import Glibc
package import Platform

/// An `errand up` that a test started on a directory of its own: everything on this machine, on a free port.
///
/// It ends with the test's process at the latest; whoever started it calls `stop`, which also removes the directory.
package actor RunningErrand {
    /// A part that the supervisor runs.
    package enum Part: String, CaseIterable, Sendable {
        case postgres, redis, standin, api, worker
    }

    /// A loaded machine with two cores makes a cluster and a schema in far less.
    package static let patience = Duration.seconds(120)

    /// The loop that everything of this installation lives on.
    package nonisolated let loop: EventLoop
    /// The data directory.
    package nonisolated let data: String
    private nonisolated let directory: String
    private nonisolated let environment: [String: String]
    private var process: ChildProcess?
    private var isReady = false
    private var client: ErrandClient?
    private var lines: [String] = []
    private var pids: [Part: Int32] = [:]
    private var readied: [Part: Int] = [:]
    private var readiedBeforeKill: [Part: Int] = [:]
    private let changed = LoopCondition()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.actor.unownedExecutor }

    private init(environment: [String: String]) throws {
        loop = try EventLoop.start(name: "errand-up")
        directory = try TestDirectory.make("up")
        data = directory + "/data"
        self.environment = environment
    }

    /// Descriptors are closed on their loop.
    isolated deinit {}

    /// Starts an installation on a fresh directory and waits until it is ready.
    package static func start(_ environment: [String: String] = [:]) async throws -> RunningErrand {
        let running = try RunningErrand(environment: environment)
        do {
            try await running.launch()
        } catch {
            await running.stop()
            throw error
        }
        return running
    }

    /// Runs a body with an installation of its own, and stops that whatever happens.
    package static func with(
        _ environment: [String: String] = [:],
        _ body: (RunningErrand) async throws -> Void
    ) async throws {
        let running = try await start(environment)
        do {
            try await body(running)
        } catch {
            await running.stop()
            throw error
        }
        await running.stop()
    }

    /// Starts `errand up` on the data, again after its end, and waits until it is ready.
    package func launch() async throws {
        loop.requireOnLoop()
        isReady = false
        client = nil
        lines.append("---- errand up")
        var spec = program(["up", "--data", data, "--listen", "127.0.0.1:0"])
        (spec.standardOutput, spec.standardError) = (.pipe, .pipe)
        // Its children must not be interrupted together with the tests.
        spec.newSession = true
        spec.dieWithParent = true
        spec.parentDeathSignal = SIGTERM
        let started = try ChildProcess.spawn(spec, on: loop)
        process = started
        let (output, errors) = (started.stdout, started.stderr)
        loop.spawnLocal { await LineReader.read(output) { self.takeOutput($0) } }
        loop.spawnLocal { await LineReader.read(errors) { self.takeLog($0) } }
        loop.spawnLocal {
            _ = await started.wait()
            self.changed.signalAll()
        }
        try await wait("errand up") { isReady || started.status != nil }
        guard isReady else {
            throw RunningErrandError("errand up ended with \(String(describing: started.status))", lines)
        }
    }

    /// What `ready.json` says now.
    package func ready() throws -> JSONValue {
        try JSONReader.parse(try Files.readAll("\(data)/ready.json", limit: 64 << 10))
    }

    /// The process of `errand up`.
    package func pid() throws -> Int32 {
        guard let process, process.status == nil else { throw RunningErrandError("errand up does not run", lines) }
        return process.pid
    }

    /// The process of a part that was started last.
    package func pid(of part: Part) throws -> Int32 {
        guard let pid = pids[part] else { throw RunningErrandError("\(part) was never started", lines) }
        return pid
    }

    /// Signals `errand up` itself.
    package func signal(_ number: Int32) {
        loop.requireOnLoop()
        process?.signal(number)
    }

    /// Waits for the end of `errand up`; nil when it takes too long.
    package func waitForEnd() async -> ExitStatus? {
        loop.requireOnLoop()
        return await process?.wait(timeout: Self.patience)
    }

    /// Notes that a part is about to end, for `recovered`.
    package func expectEnd(of part: Part) {
        loop.requireOnLoop()
        readiedBeforeKill[part] = readied[part, default: 0]
    }

    /// Ends a part as a crash would; its supervisor will start it again.
    package func crash(_ part: Part) throws {
        expectEnd(of: part)
        guard kill(try pid(of: part), SIGKILL) == 0 else {
            throw PlatformError(stage: "kill(\(part))", errno: errno)
        }
    }

    /// Waits until a part that crashed was started again and serves.
    package func recovered(_ part: Part) async throws {
        loop.requireOnLoop()
        let before = readiedBeforeKill[part, default: 0]
        try await wait("\(part) again") { readied[part, default: 0] > before }
    }

    /// Waits for a line of the log, from the beginning of the installation on.
    package func logged(_ text: String) async throws {
        loop.requireOnLoop()
        try await wait("the line \"\(text)\"") { lines.contains { $0.contains(text) } }
    }

    /// Whether a text stands anywhere in the log so far.
    package func hasLogged(_ text: String) -> Bool {
        loop.requireOnLoop()
        return lines.contains { $0.contains(text) }
    }

    /// Sends Redis one inline command and gives the first piece of its answer.
    package func redis(_ command: String) async throws -> String {
        loop.requireOnLoop()
        guard let path = try ready()["redis_socket"]?.string else {
            throw RunningErrandError("ready.json names no Redis", lines)
        }
        let socket = try await ByteSocket.connect(to: .unix(path: path), on: loop, timeout: .seconds(10))
        defer { socket.close() }
        try await socket.write(Array("\(command)\r\n".utf8))
        return String(decoding: try await socket.read(max: 64 << 10), as: UTF8.self)
    }

    /// A client that is signed in as the administrator.
    package func administrator() async throws -> ErrandClient {
        loop.requireOnLoop()
        if let client { return client }
        let ready = try ready()
        let fresh = try newClient()
        guard let email = ready["admin_email"]?.string, let file = ready["admin_password_file"]?.string else {
            throw RunningErrandError("ready.json names no administrator", lines)
        }
        let password = String(decoding: try Files.readAll(file, limit: 1_024), as: UTF8.self)
        try await fresh.signIn(email, String(password.prefix { $0 != "\n" }))
        client = fresh
        return fresh
    }

    /// A client that is not signed in.
    package func newClient() throws -> ErrandClient {
        let ready = try ready()
        guard let url = ready["url"]?.string, let authority = ready["ca_file"]?.string else {
            throw RunningErrandError("ready.json names no server", lines)
        }
        return try ErrandClient(url: url, authority: authority, on: loop)
    }

    /// What the command line needs to act as the administrator.
    package func clientEnvironment() async throws -> [String: String] {
        loop.requireOnLoop()
        let (ready, client) = (try ready(), try await administrator())
        return [
            "ERRAND_URL": ready["url"]?.string ?? "", "ERRAND_CA": ready["ca_file"]?.string ?? "",
            "ERRAND_TOKEN": await client.token ?? "",
        ]
    }

    /// Makes an account with `errand admin`, and gives a client that is signed in to it.
    package func member(_ email: String) async throws -> ErrandClient {
        loop.requireOnLoop()
        let made = try await errand(["admin", "user", "create", email, "--data", data, "--json"])
        guard made.status.isSuccess,
            let password = (try? JSONReader.parse(Array(made.output.utf8)))?["password"]?.string
        else { throw RunningErrandError("no account \(email): \(made.errors)", lines) }
        let client = try newClient()
        try await client.signIn(email, password)
        return client
    }

    /// Runs a program of this machine to its end.
    package func run(_ arguments: [String]) async throws -> ProgramOutcome {
        loop.requireOnLoop()
        return try await ProgramOutcome.of(Self.found(arguments), on: loop)
    }

    /// Starts a program of this machine that waits for its input, which stays open and empty.
    package func start(program arguments: [String]) throws -> LineProgram {
        loop.requireOnLoop()
        var spec = Self.found(arguments)
        spec.standardInput = .pipe
        return try LineProgram(spec, on: loop)
    }

    private static func found(_ arguments: [String]) -> ProcessSpec {
        var spec = ProcessSpec(path: "/usr/bin/env", arguments: ["env"] + arguments)
        spec.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"]
        return spec
    }

    /// Runs an `errand` verb to its end.
    package func errand(
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) async throws -> ProgramOutcome {
        loop.requireOnLoop()
        return try await ProgramOutcome.of(program(arguments, environment), on: loop)
    }

    /// Starts an `errand` verb whose output is read line by line.
    package func start(_ arguments: [String], _ environment: [String: String]) throws -> LineProgram {
        loop.requireOnLoop()
        return try LineProgram(program(arguments, environment), on: loop)
    }

    /// Stops what runs and removes the directory.
    package func stop() async {
        loop.requireOnLoop()
        if let process, process.status == nil {
            process.signal(SIGTERM)
            if await process.wait(timeout: Self.patience) == nil {
                process.signal(SIGKILL)
                _ = await process.wait()
            }
        }
        keepLog()
        try? Files.removeTree(directory)
        loop.stop()
    }

    /// For whoever looks for the cause of a failure: `ERRAND_TEST_LOGS` names a directory.
    private func keepLog() {
        guard let place = ProcessEnvironment.variables()["ERRAND_TEST_LOGS"], !place.isEmpty else { return }
        let name = directory.split(separator: "/").last ?? "up"
        try? Files.createDirectory(place, mode: 0o755)
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        try? Files.writeAtomically("\(place)/\(name).log", bytes, mode: 0o600)
    }

    private func program(_ arguments: [String], _ more: [String: String] = [:]) -> ProcessSpec {
        var spec = ProcessSpec(path: BuiltPrograms.errand, arguments: ["errand"] + arguments)
        spec.environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": directory, "LANG": "C.UTF-8",
        ]
        spec.environment["ERRAND_AGENT_PATH"] = BuiltPrograms.agent
        spec.environment.merge(environment) { $1 }
        spec.environment.merge(more) { $1 }
        return spec
    }

    private func wait(_ what: String, until holds: () -> Bool) async throws {
        let end = loop.now.advanced(by: Self.patience)
        while !holds() {
            guard loop.now < end else { throw RunningErrandError("never: \(what)", lines) }
            _ = await changed.wait(timeout: end - loop.now, on: loop)
        }
    }

    private func takeOutput(_ line: String) {
        if line.hasPrefix("ready ") { isReady = true }
        changed.signalAll()
    }

    private func takeLog(_ line: String) {
        lines.append(line)
        defer { changed.signalAll() }
        guard let entry = try? JSONReader.parse(Array(line.utf8)),
            let part = entry["service"]?.string.flatMap({ Part(rawValue: $0) })
        else { return }
        switch entry["message"]?.string {
        case "service started": pids[part] = entry["pid"]?.integer.flatMap { Int32(exactly: $0) }
        case "service ready": readied[part, default: 0] += 1
        default: break
        }
    }
}

/// An installation did not do what a test waits for, with the end of its log.
package struct RunningErrandError: Error, CustomStringConvertible {
    /// What happened, and what was logged last.
    package let description: String

    init(_ what: String, _ lines: [String]) {
        description = ([what] + lines.suffix(40).map { String($0.prefix(400)) }).joined(separator: "\n")
    }
}
