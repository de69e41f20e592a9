import CLinux
import Glibc
import SandboxSpec

/// What the root of every sandbox holds, gathered from the host once at the start.
struct RootContents {
    /// A host directory that is visible read-only.
    struct Tree {
        var hostPath: String
        var target: String
    }

    /// A small file of the sandbox's own.
    struct File {
        var path: String
        var bytes: [UInt8]
    }

    var trees: [Tree] = [Tree(hostPath: "/usr", target: "usr")]
    var files: [File] = []
    var links: [(path: String, target: String)] = [
        ("etc/mtab", "/proc/self/mounts"), ("etc/os-release", "../usr/lib/os-release"), ("var/tmp", "/tmp"),
        ("var/run", "/run"),
    ]

    /// In the order in which they are made: a parent stands before its children.
    static let directories = [
        "etc", "etc/ssl", "usr", "proc", "dev", "tmp", "run", "var", "var/lib", "var/cache", "var/log", "root", "home",
        "home/agent", "workspace", "state", "state/config", "opt", "opt/errand", "opt/errand/agent", "mnt", "srv",
    ]
    /// An empty read-only directory that covers what `/proc` should not show.
    static let emptyDirectory = "srv"
    /// Larger than any of the copied files is on a usual system.
    private static let copyLimit = 1 << 20

    init(agentDirectory: String?) throws(SetupFailure) {
        for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] where Self.isDirectory("/usr/\(name)") {
            links.append((name, "usr/\(name)"))
        }
        for path in ["etc/alternatives", "etc/ssl/certs"] where Self.isDirectory("/\(path)") {
            trees.append(Tree(hostPath: "/\(path)", target: path))
        }
        if let agentDirectory {
            try Self.requireReadable(agentDirectory)
            trees.append(Tree(hostPath: agentDirectory, target: String(SandboxPaths.agent.dropFirst())))
        }
        for (path, text) in Self.generated { files.append(File(path: path, bytes: Array(text.utf8))) }
        let copied = [
            "etc/ld.so.cache", "etc/localtime", "etc/services", "etc/protocols", "etc/ssl/openssl.cnf", "etc/timezone",
        ]
        for path in copied {
            if let bytes = readFile(AT_FDCWD, "/\(path)", limit: Self.copyLimit) {
                files.append(File(path: path, bytes: bytes))
            }
        }
    }

    /// No name of the host, no account of the host, and no resolver: names resolve outside or not at all.
    private static let generated: [(String, String)] = [
        (
            "etc/passwd",
            """
            root:x:0:0:root:/root:/usr/sbin/nologin
            agent:x:1000:1000:agent:\(SandboxPaths.home):/bin/bash
            nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin

            """
        ),
        ("etc/group", "root:x:0:\ntty:x:5:\nagent:x:1000:\nnogroup:x:65534:\n"),
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n"),
        ("etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
        ("etc/host.conf", "multi on\n"),
    ]

    /// A project's uid has to get at the agent, so its directory must be open to everyone.
    private static func requireReadable(_ path: String) throws(SetupFailure) {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw SetupFailure(step: "agent directory", errno: ENOTDIR, detail: "the agent's directory is missing")
        }
        guard geteuid() != 0 || status.st_mode & 0o005 == 0o005 else {
            throw SetupFailure(step: "agent directory", errno: EACCES, detail: "other uids must be able to read it")
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
