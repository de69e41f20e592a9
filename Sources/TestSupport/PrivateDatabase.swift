import Glibc
import Platform

/// A PostgreSQL cluster of a test's own: a temporary directory, a Unix socket, no password, gone with the process.
///
/// Started by root it runs as the user `postgres`, because the server refuses root.
package actor PrivateDatabase {
    /// The cluster that all suites of a process share; each makes a database of its own.
    package static let shared: PrivateDatabase? = try? PrivateDatabase(isDurable: false)

    /// Where the data and the socket are.
    package nonisolated let directory: String
    private nonisolated let loop: EventLoop
    private let isDurable: Bool
    private let settled = LoopCondition()
    private var state = State.absent
    private var server: ChildProcess?
    /// The child that is listened to.
    private var speaker: ChildProcess?
    private let readiness = LoopCondition()
    private var isReady: Bool?
    /// The end of what the server said, for whoever must find out why it did not start.
    private var lastWords: [UInt8] = []

    private enum State {
        case absent, starting, running, failed
    }

    /// Runs on a loop of its own, so that children and sockets have one thread.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.actor.unownedExecutor }

    /// A cluster that is made by the first `start`; durable ones keep their commits through a crash.
    package init(isDurable: Bool) throws {
        loop = try EventLoop.start(name: "private-database")
        self.isDurable = isDurable
        directory = "/tmp/errand-postgres-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    }

    /// How to reach a database of the cluster, as a libpq connection string.
    package nonisolated func connection(database: String, user: String) -> String {
        "host=\(directory) dbname=\(database) user=\(user)"
    }

    /// How to reach the cluster as its superuser.
    package nonisolated var superuser: String { connection(database: "postgres", user: "postgres") }

    /// Makes and starts the cluster, or waits for whoever is doing so.
    package func start() async throws {
        while state == .starting { await settled.wait() }
        guard state != .running else { return }
        state = .starting
        defer {
            if state == .starting { state = .failed }
            settled.signalAll()
        }
        if !Files.exists("\(directory)/data") {
            PrivateDatabaseCleanup.removeAbandoned()
            try Files.createDirectory(directory, mode: 0o700)
            PrivateDatabaseCleanup.add(directory)
            try hand(directory)
            try await initialise()
        }
        try await launch()
        state = .running
    }

    /// Ends the server at once, as a crash would; the data stays for the next `start`.
    package func crash() async {
        state = .absent
        lastWords = []
        server?.signal(SIGQUIT)
        _ = await server?.wait()
        server = nil
    }

    private func initialise() async throws {
        let arguments = [
            "-D", "\(directory)/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync",
        ]
        let child = try ChildProcess.spawn(try Self.spec("initdb", arguments, diesWithParent: false), on: loop)
        attend(child)
        guard await child.wait().isSuccess else { throw DatabaseFailure(stage: "initdb", said: said) }
    }

    private func launch() async throws {
        var settings = [
            "listen_addresses=", "unix_socket_directories=\(directory)", "max_connections=200",
            "shared_buffers=64MB", "lc_messages=C", "log_min_messages=warning",
        ]
        if !isDurable { settings += ["fsync=off", "full_page_writes=off"] }
        let arguments = ["-D", "\(directory)/data"] + settings.flatMap { ["-c", $0] }
        let child = try ChildProcess.spawn(try Self.spec("postgres", arguments, diesWithParent: true), on: loop)
        PrivateDatabaseCleanup.set(directory, child.pid)
        server = child
        attend(child)
        while isReady == nil { await readiness.wait() }
        guard isReady == true else { throw DatabaseFailure(stage: "postgres", said: said) }
    }

    /// Listens to a child from now on.
    private func attend(_ child: ChildProcess) {
        speaker = child
        isReady = nil
        loop.spawn { [self] in await listen() }
    }

    /// Reads what the child says to its end, and notes whether it became ready.
    private func listen() async {
        let child = speaker
        while let bytes = try? await child?.stderr?.read(max: 16_384), !bytes.isEmpty {
            lastWords = Array((lastWords + bytes).suffix(8_192))
            if isReady == nil, said.contains("ready to accept connections") { settle(child, true) }
        }
        settle(child, false)
    }

    private func settle(_ child: ChildProcess?, _ value: Bool) {
        guard child === speaker, isReady == nil else { return }
        isReady = value
        readiness.signalAll()
    }

    private var said: String { String(decoding: lastWords, as: UTF8.self) }

    private func hand(_ path: String) throws {
        guard geteuid() == 0 else { return }
        guard let entry = unsafe getpwnam("postgres") else {
            throw DatabaseFailure(stage: "the user postgres is missing", said: "")
        }
        guard unsafe chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
            throw PlatformError(stage: "chown(\(path))", errno: errno)
        }
    }

    /// A program of the newest installed server; as root through `setpriv`, which also keeps the parent's death signal.
    private static func spec(
        _ program: String,
        _ arguments: [String],
        diesWithParent: Bool
    ) throws -> ProcessSpec {
        let root = "/usr/lib/postgresql"
        let versions = try Files.list(root).compactMap { Int($0) }.sorted()
        guard let version = versions.last else { throw DatabaseFailure(stage: "no PostgreSQL in \(root)", said: "") }
        let path = "\(root)/\(version)/bin/\(program)"
        var spec = ProcessSpec(path: path, arguments: [path] + arguments)
        if geteuid() == 0 {
            let change = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
            let death = diesWithParent ? ["--pdeathsig=QUIT"] : []
            spec = ProcessSpec(path: "/usr/bin/setpriv", arguments: ["setpriv"] + change + death + [path] + arguments)
        }
        spec.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"]
        spec.workingDirectory = "/tmp"
        spec.standardError = .pipe
        spec.dieWithParent = diesWithParent
        spec.parentDeathSignal = SIGQUIT
        return spec
    }
}

/// Why a private cluster is not there.
package struct DatabaseFailure: Error, CustomStringConvertible {
    /// What was being done.
    package let stage: String
    /// The end of what the program said.
    package let said: String

    package var description: String { "\(stage): \(said)" }
}

/// Ends the clusters and removes their directories when the process ends.
private enum PrivateDatabaseCleanup {
    private static let clusters = Lock<[String: Int32]>([:])
    private static let registered: Void = {
        _ = atexit {
            for (directory, pid) in clusters.withLock({ $0 }) {
                if pid > 0 { end(pid) }
                try? Files.removeTree(directory)
            }
        }
    }()

    static func add(_ directory: String) {
        _ = registered
        clusters.withLock { $0[directory] = 0 }
    }

    /// Removes what processes left behind that were killed; their servers died with them.
    static func removeAbandoned() {
        for name in (try? Files.list("/tmp")) ?? [] where name.hasPrefix("errand-postgres-") {
            let owner = name.dropFirst("errand-postgres-".count).prefix { $0 != "-" }
            if !Files.exists("/proc/\(owner)") { try? Files.removeTree("/tmp/\(name)") }
        }
    }

    static func set(_ directory: String, _ pid: Int32) {
        clusters.withLock { $0[directory] = pid }
    }

    /// An immediate shutdown leaves no shared memory behind; it takes some milliseconds.
    private static func end(_ pid: Int32) {
        kill(pid, SIGQUIT)
        for _ in 0..<100 {
            var status: Int32 = 0
            guard unsafe waitpid(pid, &status, WNOHANG) == 0 else { return }
            usleep(10_000)
        }
    }
}
