import CLinux
import Glibc
import SandboxSpec

/// The mounts that each sandbox has for itself.
struct Mounts {
    /// Where the sandbox's root is: `/` below a template, the not yet pivoted tree without root.
    let root: Int32
    let steps: Steps
    /// The id that owns the private directories, as the mounting user namespace names it.
    let owner: UInt32
    let limits: PlanLimits

    /// What `/proc` should not show: addresses, keys and hardware; only what this kernel has is masked.
    private static let maskedFiles = [
        "proc/kallsyms", "proc/kcore", "proc/keys", "proc/key-users", "proc/latency_stats", "proc/sched_debug",
        "proc/timer_list", "proc/sysrq-trigger", "proc/kmsg", "proc/config.gz", "proc/iomem", "proc/ioports",
    ]
    private static let maskedDirectories = ["proc/acpi", "proc/asound", "proc/scsi", "proc/driver", "proc/bus"]

    /// A new detached mount of a file system type.
    static func new(
        _ type: String,
        _ options: [(String, String)],
        _ attributes: UInt64,
        _ steps: Steps
    ) throws(SetupFailure) -> Int32 {
        let words = options.flatMap { [$0.0, $0.1] }
        let mount = unsafe withCStrings(words) { list in
            unsafe list.withMemoryRebound(to: UnsafePointer<CChar>?.self, capacity: words.count + 1) { constant in
                unsafe errand_new_mount(type, constant, attributes)
            }
        }
        return try steps.check(mount, "mounting \(type)")
    }

    /// A new `/proc` of the sandbox's own process namespace; it hides init, which nobody inside may trace.
    func mountProc() throws(SetupFailure) {
        try steps.begin(.proc)
        let proc = try Self.new("proc", [("hidepid", "invisible")], Self.inert, steps)
        try attach(proc, "proc")
        try steps.begin(.procMasks)
        for path in presentMasks(Self.maskedFiles) { try mask(path, with: "dev/null") }
        for path in presentMasks(Self.maskedDirectories) { try mask(path, with: RootContents.emptyDirectory) }
    }

    /// The device, temporary and home file systems.
    func mountPrivate() throws(SetupFailure) {
        try steps.begin(.devpts)
        let devpts = try Self.new(
            "devpts",
            [("mode", "0620"), ("ptmxmode", "0666"), ("max", "64")],
            ERRAND_NOSUID | ERRAND_NOEXEC,
            steps
        )
        try attach(devpts, "dev/pts")
        try steps.begin(.sharedMemory)
        try attach(tmpfs(limits.sharedMemoryBytes, "1777", Self.inert), "dev/shm")
        try steps.begin(.temporary)
        try attach(tmpfs(limits.temporaryBytes, "1777", Self.foreign), "tmp")
        try steps.begin(.home)
        try attach(tmpfs(limits.homeBytes, "0700", Self.foreign), "home/agent")
    }

    /// The workspace and the agent's state: the project's, or empty ones that vanish.
    func mountWorkspace(_ plan: SandboxPlan, _ trees: WorkspaceTrees?) throws(SetupFailure) {
        try steps.begin(.workspace)
        switch plan.workspace {
        case .project:
            guard let trees else { throw SetupFailure(steps.current, EINVAL, "the project's trees are missing") }
            try attach(trees.workspace, "workspace")
            try steps.begin(.configuration)
            try attach(trees.configuration, "state/config")
        case .ephemeral(let sizeBytes):
            try attach(tmpfs(sizeBytes, "0700", Self.foreign), "workspace")
            try steps.begin(.configuration)
            try attach(tmpfs(limits.homeBytes, "0700", Self.foreign), "state/config")
        }
    }

    /// The mount points that must be there, with the options that each must have; exactly these.
    func expectation(_ contents: RootContents, boundDevices: Bool, readOnlyWorkspace: Bool) -> MountTable.Expectation {
        var expected = MountTable.Expectation()
        expected.add("/", ["ro", "nosuid", "nodev"])
        for tree in contents.trees { expected.add("/\(tree.target)", ["ro", "nosuid", "nodev"]) }
        expected.add("/dev", ["ro", "nosuid", "noexec"])
        if boundDevices {
            for name in ["null", "zero", "full", "random", "urandom", "tty"] {
                expected.add("/dev/\(name)", ["nosuid", "noexec"])
            }
            // Mounts below the host's trees come along where a user namespace may not leave them out.
            expected.below = contents.trees.map { "/\($0.target)/" }
        }
        expected.add("/proc", ["nosuid", "nodev", "noexec"])
        for path in presentMasks(Self.maskedFiles + Self.maskedDirectories) { expected.add("/\(path)", ["nosuid"]) }
        expected.add("/dev/pts", ["nosuid", "noexec"])
        expected.add("/dev/shm", ["nosuid", "nodev", "noexec"])
        for path in ["/tmp", SandboxPaths.home, SandboxPaths.configuration] {
            expected.add(path, ["rw", "nosuid", "nodev"])
        }
        expected.add(SandboxPaths.workspace, [readOnlyWorkspace ? "ro" : "rw", "nosuid", "nodev"])
        return expected
    }

    private static let inert = ERRAND_NOSUID | ERRAND_NODEV | ERRAND_NOEXEC
    private static let foreign = ERRAND_NOSUID | ERRAND_NODEV

    private func presentMasks(_ paths: [String]) -> [String] {
        paths.filter { unsafe faccessat(root, $0, F_OK, 0) == 0 }
    }

    private func mask(_ path: String, with cover: String) throws(SetupFailure) {
        let attributes = ERRAND_RDONLY | ERRAND_NOSUID | ERRAND_NOEXEC
        let mount = unsafe errand_clone_tree(root, cover, attributes, 0)
        try attach(try steps.check(mount, "cloning the cover of /\(path)"), path)
    }

    private func tmpfs(_ bytes: UInt64, _ mode: String, _ attributes: UInt64) throws(SetupFailure) -> Int32 {
        let options = [
            ("size", "\(bytes)"), ("nr_inodes", "\(limits.inodes)"), ("mode", mode), ("uid", "\(owner)"),
            ("gid", "\(owner)"),
        ]
        return try Self.new("tmpfs", options, attributes, steps)
    }

    private func attach(_ mount: Int32, _ target: String) throws(SetupFailure) {
        try steps.check(unsafe errand_attach(mount, root, target), "attaching /\(target)")
        close(mount)
    }
}

/// The detached mounts of a project's two directories.
struct WorkspaceTrees {
    let workspace: Int32
    let configuration: Int32

    /// Copies the mounts that hold the directories; with root, what is mounted below them stays out.
    init(
        _ pair: borrowing ProjectPair,
        readOnly: Bool,
        recursive: Bool,
        _ steps: Steps
    ) throws(SetupFailure) {
        if !recursive { try steps.begin(.workspaceTree) }
        let base = ERRAND_NOSUID | ERRAND_NODEV
        let depth: Int32 = recursive ? 1 : 0
        let attributes = readOnly ? base | ERRAND_RDONLY : base
        let clone = unsafe errand_clone_tree(pair.workspace.raw, "", attributes, depth)
        workspace = try steps.check(clone, "cloning the workspace")
        if !recursive { try steps.begin(.configurationTree) }
        let second = unsafe errand_clone_tree(pair.configuration.raw, "", base, depth)
        if second < 0 { close(workspace) }
        configuration = try steps.check(second, "cloning the agent's state")
    }

    func closeAll() {
        close(workspace)
        close(configuration)
    }
}
