import Glibc
package import Platform
import SandboxSpec

/// What the fork server is started with.
package struct SandboxServerOptions: Sendable {
    /// The path of `errand-sandbox`.
    package var executable: String
    /// The directory that holds the projects; ours alone to write.
    package var projectsRoot: String
    /// The host directory with the agent's binary, readable by every uid.
    package var agentDirectory: String?
    /// The first uid of the range that projects and ephemeral sandboxes run as, when started by root.
    package var uidBase: UInt32 = 1_300_000
    /// The size of that range.
    package var uidCount: UInt32 = 65_536
    /// How long the server may owe an answer.
    package var answerLimit = standardAnswerLimit
    /// Whether requests may make steps fail, for tests.
    package var allowFaultInjection = false

    /// The server answers within milliseconds; one that waits for a file system that hangs must not hold jobs for ever.
    package static let standardAnswerLimit = Duration.seconds(20)

    /// Names the program and the directories; the rest has defaults.
    package init(executable: String, projectsRoot: String, agentDirectory: String? = nil) {
        self.executable = executable
        self.projectsRoot = projectsRoot
        self.agentDirectory = agentDirectory
    }

    /// The path in `ERRAND_SANDBOX_PATH`, or `errand-sandbox` beside the running executable.
    package static func findExecutable() -> String {
        if let named = unsafe getenv("ERRAND_SANDBOX_PATH").map({ unsafe String(cString: $0) }), !named.isEmpty {
            return named
        }
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = unsafe readlink("/proc/self/exe", &path, path.count)
        let bytes = path.prefix(max(0, length)).map(UInt8.init(bitPattern:))
        let directory = bytes.lastIndex(of: UInt8(ascii: "/")).map { bytes[..<$0] } ?? []
        return String(decoding: directory, as: UTF8.self) + "/errand-sandbox"
    }

    /// How a privileged parent starts the server; the other end of the socket goes to the worker, which adopts it.
    package func processSpec(socket: Int32) -> ProcessSpec {
        var arguments = ["errand-sandbox", "--projects-root", projectsRoot]
        arguments += ["--uid-base", "\(uidBase)", "--uid-count", "\(uidCount)"]
        if let agentDirectory { arguments += ["--agent-directory", agentDirectory] }
        if allowFaultInjection { arguments.append("--allow-fault-injection") }
        var spec = ProcessSpec(path: executable, arguments: arguments)
        spec.standardError = .inherit
        spec.newSession = true
        spec.extraDescriptors = [(child: SandboxPaths.serverSocket, raw: socket)]
        return spec
    }
}
