import Glibc
import Platform
import Sandbox
import Testing

/// A fork server on a loop of its own, with a projects' directory that goes when the test ends.
struct SandboxHarness: Sendable {
    let loop: EventLoop
    let projectsRoot: String

    /// Runs a body against a new server; everything is stopped and removed afterwards.
    static func run<Value: Sendable>(
        _ change: (inout SandboxServerOptions) -> Void = { _ in },
        keepsMode: Bool = false,
        in directory: String? = nil,
        _ body: @escaping @Sendable (SandboxServer, SandboxHarness) async throws -> Value
    ) async throws -> Value {
        let loop = try EventLoop.start(name: "sandbox-test")
        let root = try directory ?? temporaryDirectory()
        var options = SandboxServerOptions(
            executable: SandboxServerOptions.findExecutable(),
            projectsRoot: "\(root)/projects",
            // Where the tests' own programs are: inside they stand where the agent would.
            agentDirectory: buildDirectory
        )
        change(&options)
        let chosen = options
        let harness = SandboxHarness(loop: loop, projectsRoot: chosen.projectsRoot)
        defer {
            loop.stop()
            try? Files.removeTree(root)
        }
        if !keepsMode { try Files.createDirectory(chosen.projectsRoot) }
        return try await loop.run {
            let server = try await SandboxServer.start(chosen, on: loop)
            do {
                let value = try await body(server, harness)
                await server.stop()
                return value
            } catch {
                await server.stop()
                throw error
            }
        }
    }

    /// Where the package builds the tests and the programs that they use.
    static var buildDirectory: String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = unsafe readlink("/proc/self/exe", &path, path.count)
        let running = String(decoding: path.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard let slash = running.lastIndex(of: "/") else { return running }
        return String(running[..<slash])
    }

    /// A sandbox on a new project.
    func project(
        _ server: SandboxServer,
        _ name: String,
        uid index: Int = 0,
        port: UInt16? = nil
    ) async throws -> SandboxProcessSpace {
        try await server.prepareProject(name, uid: index)
        return try await server.create(
            SandboxRequest(
                id: name,
                workspace: .project(name: name, uidIndex: index, readOnly: false),
                listenerPort: port
            )
        )
    }

    /// Where a project's workspace is on the host.
    func workspace(_ name: String) -> String {
        "\(projectsRoot)/\(name)/workspace"
    }

    static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/errand-sandbox-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw PlatformError(stage: "mkdtemp", errno: errno) }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A sandbox that vanishes with the test.
func ephemeral(_ id: String = "probe", port: UInt16? = nil) -> SandboxRequest {
    SandboxRequest(id: id, workspace: .ephemeral(sizeBytes: 64 << 20), listenerPort: port)
}

/// What a command printed and how it ended.
struct Outcome: Sendable, Equatable {
    var exit: SandboxExit
    var output: String
    var errors: String
}

extension SandboxProcessSpace {
    static let environment = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/home/agent"), ("LANG", "C.UTF-8")]

    /// Runs a command to its end.
    func outcome(_ arguments: [String], input: [UInt8]? = nil) async throws -> Outcome {
        var command = SandboxCommand(arguments: arguments, environment: Self.environment)
        if input != nil { command.stdin = .pipe }
        let running = try await run(command)
        if let input, let stdin = running.stdin {
            try await stdin.write(input)
            stdin.close()
        }
        let output = try await running.stdout.readToEnd()
        let errors = try await running.stderr.readToEnd()
        return Outcome(exit: await running.wait(), output: output, errors: errors)
    }

    /// Runs a shell script to its end.
    func shell(_ script: String) async throws -> Outcome {
        try await outcome(["/bin/sh", "-c", script])
    }
}

extension ByteSocket {
    func readToEnd() async throws -> String {
        var bytes: [UInt8] = []
        while true {
            let part = try await read(max: 1 << 16)
            if part.isEmpty { break }
            bytes += part
        }
        close()
        return String(decoding: bytes, as: UTF8.self)
    }
}
