import Glibc
package import Platform

/// The Redis of `errand up`: a log on disk, a Unix socket, nothing on the network; loop-confined.
package final class PrivateRedis {
    /// The socket.
    package let socketPath: String
    private let data: DataDirectory
    private let log: StructuredLog
    private let loop: EventLoop
    private let program: String

    /// Finds the program and stops a server left by an earlier run.
    package static func prepare(
        in data: DataDirectory,
        log: StructuredLog,
        loop: EventLoop
    ) async throws -> PrivateRedis {
        guard let program = try await BlockingPool.run({ Program.find("redis-server") }) else {
            throw ProgramError(program: "redis-server", reason: "not found: install the package redis-server")
        }
        let redis = PrivateRedis(data, log: log, loop: loop, program: program)
        try await redis.stopPredecessor()
        return redis
    }

    private init(_ data: DataDirectory, log: StructuredLog, loop: EventLoop, program: String) {
        self.data = data
        self.log = log
        self.loop = loop
        self.program = program
        socketPath = "\(data.run)/redis/redis.sock"
    }

    /// The server for the supervisor.
    package var service: Service {
        Service(
            name: "redis",
            stopSignal: SIGTERM,
            grace: .seconds(30),
            makeSpec: { [self] in serverSpec() },
            isReady: { [self] in await isReady() }
        )
    }

    private func serverSpec() -> ProcessSpec {
        let directory = data.childPath(data.redis)
        let settings = [
            ("port", "0"), ("unixsocket", socketPath), ("unixsocketperm", "777"), ("dir", directory),
            ("appendonly", "yes"), ("appendfsync", "everysec"), ("save", ""),
            // What is full must fail loudly: an evicted key would be a lost wake-up.
            ("maxmemory", "512mb"), ("maxmemory-policy", "noeviction"), ("daemonize", "no"),
            ("pidfile", "\(directory)/redis.pid"), ("loglevel", "warning"), ("always-show-logo", "no"),
        ]
        let arguments = ["redis-server"] + settings.flatMap { ["--\($0)", $1] }
        var spec = ProcessSpec(path: program, arguments: arguments, environment: ["LC_ALL": "C.UTF-8", "TZ": "UTC"])
        (spec.standardOutput, spec.standardError) = (.pipe, .pipe)
        spec.workingDirectory = "/"
        return data.running(spec, as: data.accounts?.database, mayGainPrivileges: false)
    }

    /// Whether it answers a ping; while it reads its log from disk it answers an error.
    private func isReady() async -> Bool {
        do {
            let socket = try await ByteSocket.connect(to: .unix(path: socketPath), on: loop, timeout: .seconds(2))
            defer { socket.close() }
            let limit = loop.schedule(after: .seconds(2)) { socket.close() }
            defer { limit.cancel() }
            try await socket.write(Array("PING\r\n".utf8))
            var answer: [UInt8] = []
            while answer.count < 7, case let part = try await socket.read(max: 64), !part.isEmpty { answer += part }
            return answer == Array("+PONG\r\n".utf8)
        } catch {
            return false
        }
    }

    private func stopPredecessor() async throws {
        let path = "\(data.redis)/redis.pid"
        let text = try? await BlockingPool.run { String(decoding: try Files.readAll(path, limit: 64), as: UTF8.self) }
        guard let pid = text?.split(whereSeparator: \.isWhitespace).first.flatMap({ Int32($0) }), pid > 1 else {
            return
        }
        try await Predecessor(log: log, loop: loop).stop(
            pid: pid,
            program: "redis-server",
            directory: data.redis,
            signals: [(SIGTERM, .seconds(20)), (SIGKILL, .seconds(5))]
        )
    }
}
