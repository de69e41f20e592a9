import CLinux
import Glibc
import SandboxSpec

/// The fork server: one thread, no Foundation, Dispatch or Concurrency, since it clones itself for each sandbox.
///
/// Started by root it makes sandboxes with real privileges, while the worker that asks for them has none: the worker
/// runs strangers' output through its parsers, so it holds neither capabilities nor the uids of the projects. What it
/// sends is checked here as if it came from an enemy.
@main
enum ErrandSandbox {
    static func main() {
        let channel = Channel(SandboxPaths.serverSocket)
        do throws(SetupFailure) {
            let options = try ServerOptions(arguments: Array(CommandLine.arguments.dropFirst()))
            try prepareProcess()
            let server = try ForkServer(options: options, channel: channel)
            try server.serve()
            exit(0)
        } catch {
            writeError("errand-sandbox: \(error.step): errno \(error.errno): \(error.detail)\n")
            _ = channel.send(ServerReply.failed(request: 0, error).encoded())
            exit(1)
        }
    }

    /// Leaves the caller's session and descriptors behind, and makes sure that there is one thread.
    private static func prepareProcess() throws(SetupFailure) {
        var status = stat()
        guard unsafe fstat(SandboxPaths.serverSocket, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
            throw SetupFailure(step: "start", errno: ENOTSOCK, detail: "descriptor 3 is not the server's socket")
        }
        _ = setsid()
        umask(0o077)
        let closed = errand_close_range(UInt32(SandboxPaths.serverSocket) + 1, UInt32.max)
        guard closed == 0 else {
            throw SetupFailure(step: "start", errno: -closed, detail: "closing inherited descriptors")
        }
        guard let threads = listDirectory("/proc/self/task"), threads.count == 1 else {
            throw SetupFailure(step: "start", errno: EBUSY, detail: "the fork server must have one thread")
        }
    }
}
