import Glibc
package import Platform

/// A Redis server of a test's own, on a socket file in a directory of its own; keeps nothing on disk.
///
/// It dies with the loop's thread at the latest, so a test that is cut short leaves no server behind.
package final class PrivateRedis {
    /// Where it listens.
    package let socketPath: String

    private let directory: String
    private let loop: EventLoop
    private let policy: String
    private var process: ChildProcess?

    private init(directory: String, policy: String, loop: EventLoop) {
        self.directory = directory
        self.policy = policy
        self.loop = loop
        socketPath = directory + "/redis.sock"
    }

    /// Starts a server and waits until it answers.
    package static func start(on loop: EventLoop, policy: String = "noeviction") async throws -> PrivateRedis {
        var template = Array("/tmp/errand-redis-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw PlatformError(stage: "mkdtemp", errno: errno) }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let redis = PrivateRedis(directory: directory, policy: policy, loop: loop)
        try await redis.restart()
        return redis
    }

    /// Starts the server again, empty, after `kill`.
    package func restart() async throws {
        var spec = ProcessSpec(
            path: "/usr/bin/redis-server",
            arguments: [
                "redis-server", "--port", "0", "--unixsocket", socketPath, "--unixsocketperm", "700", "--save", "",
                "--appendonly", "no", "--maxmemory-policy", policy, "--dir", directory,
            ]
        )
        spec.dieWithParent = true
        let process = try ChildProcess.spawn(spec, on: loop)
        self.process = process
        while try await command("PING") != "+PONG\r\n" {
            if let status = process.status {
                throw PlatformError(stage: "redis-server ended with \(status)", errno: ECHILD)
            }
            await loop.sleep(.milliseconds(2))
        }
    }

    /// Sends one inline command on a connection of its own and gives the first piece of the answer; nil when away.
    package func command(_ line: String) async throws -> String? {
        guard
            let socket = try? await ByteSocket.connect(
                to: .unix(path: socketPath),
                on: loop,
                timeout: .seconds(1)
            )
        else { return nil }
        defer { socket.close() }
        try await socket.write(Array("\(line)\r\n".utf8))
        return String(decoding: try await socket.read(max: 64 << 10), as: UTF8.self)
    }

    /// Ends the server at once, as a crash would.
    package func kill() async {
        process?.signal(SIGKILL)
        _ = await process?.wait()
    }

    /// Stops the server from running without ending it, as a machine under memory pressure would.
    package func freeze() { process?.signal(SIGSTOP) }

    /// Lets a frozen server run again.
    package func thaw() { process?.signal(SIGCONT) }

    /// Ends the server and removes its directory.
    package func stop() async {
        await kill()
        try? Files.removeTree(directory)
    }
}
