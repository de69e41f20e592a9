import CLinux
import Glibc
import SandboxSpec

/// Builds the root of a sandbox in a mount namespace of its own.
///
/// Everything is made through descriptors in our own tmpfs before any tree that a workload could write is attached:
/// creating a file below such a tree could follow its links onto the host.
struct RootTree {
    /// The root, not yet pivoted to.
    let root: Int32
    private let steps: Steps

    /// How device nodes come about: real root makes them, a user namespace may only bind the host's.
    enum Devices { case made, bound }

    private static let devices: [(name: String, major: UInt32, minor: UInt32)] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ]

    /// Builds the tree and attaches it over `/tmp`; the mount namespace must be private already.
    static func build(
        _ contents: RootContents,
        devices: Devices,
        extra: (() throws(SetupFailure) -> Void)?,
        _ steps: Steps
    ) throws(SetupFailure) -> RootTree {
        try steps.begin(.sources)
        let recursive: Int32 = devices == .bound ? 1 : 0
        var trees: [(mount: Int32, target: String)] = []
        for tree in contents.trees {
            let path = unsafe open(tree.hostPath, ERRAND_O_PATH | O_DIRECTORY | O_CLOEXEC)
            try steps.check(answer(path), "opening /\(tree.target)")
            let mount = unsafe errand_clone_tree(path, "", readOnly, recursive)
            trees.append((try steps.check(mount, "cloning /\(tree.target)"), tree.target))
            close(path)
        }
        var nodes: [(mount: Int32, name: String)] = []
        if devices == .bound {
            for device in Self.devices {
                let mount = unsafe errand_clone_tree(AT_FDCWD, "/dev/\(device.name)", ERRAND_NOSUID | ERRAND_NOEXEC, 0)
                nodes.append((try steps.check(mount, "cloning /dev/\(device.name)"), device.name))
            }
        }
        try extra?()
        let tree = try RootTree(contents, steps)
        for (mount, target) in trees { try tree.attach(mount, target) }
        try tree.makeDevices(nodes)
        return tree
    }

    private static let readOnly = ERRAND_RDONLY | ERRAND_NOSUID | ERRAND_NODEV

    private init(_ contents: RootContents, _ steps: Steps) throws(SetupFailure) {
        try steps.begin(.skeleton)
        self.steps = steps
        umask(0o022)
        root = try Mounts.new(
            "tmpfs",
            [("mode", "0755"), ("size", "8m"), ("nr_inodes", "512")],
            ERRAND_NOSUID | ERRAND_NODEV,
            steps
        )
        try steps.check(unsafe errand_attach(root, AT_FDCWD, "/tmp"), "attaching the root")
        for path in RootContents.directories {
            try steps.check(answer(unsafe mkdirat(root, path, 0o755)), "making /\(path)")
        }
        for tree in contents.trees where !RootContents.directories.contains(tree.target) {
            try steps.check(answer(unsafe mkdirat(root, tree.target, 0o755)), "making /\(tree.target)")
        }
        for link in contents.links {
            try steps.check(answer(unsafe symlinkat(link.target, root, link.path)), "linking /\(link.path)")
        }
        for file in contents.files { try write(file) }
    }

    private func write(_ file: RootContents.File) throws(SetupFailure) {
        let raw = unsafe openat(root, file.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        let descriptor = Descriptor(try steps.check(answer(raw), "making /\(file.path)"))
        let written = unsafe Glibc.write(descriptor.raw, file.bytes, file.bytes.count)
        try steps.require(written == file.bytes.count, EIO, "writing /\(file.path)")
    }

    private func attach(_ mount: Int32, _ target: String) throws(SetupFailure) {
        try steps.check(unsafe errand_attach(mount, root, target), "attaching /\(target)")
        close(mount)
    }

    private func makeDevices(_ nodes: [(mount: Int32, name: String)]) throws(SetupFailure) {
        try steps.begin(.devices)
        let dev = try Mounts.new(
            "tmpfs",
            [("mode", "0755"), ("size", "64k"), ("nr_inodes", "64")],
            ERRAND_NOSUID | ERRAND_NOEXEC,
            steps
        )
        if nodes.isEmpty {
            for device in Self.devices {
                let made = unsafe errand_device(dev, device.name, 0o666, device.major, device.minor)
                try steps.check(made, "making /dev/\(device.name)")
            }
        }
        let links = [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ]
        for (path, target) in links {
            try steps.check(answer(unsafe symlinkat(target, dev, path)), "linking /dev/\(path)")
        }
        for path in ["pts", "shm"] {
            try steps.check(answer(unsafe mkdirat(dev, path, 0o755)), "making /dev/\(path)")
        }
        for node in nodes {
            let file = unsafe openat(dev, node.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            close(try steps.check(answer(file), "making /dev/\(node.name)"))
        }
        try attachDevices(dev, nodes)
    }

    /// The tmpfs is attached before the nodes are: older kernels attach nothing to a detached tree.
    private func attachDevices(_ dev: Int32, _ nodes: [(mount: Int32, name: String)]) throws(SetupFailure) {
        try steps.check(unsafe errand_attach(dev, root, "dev"), "attaching /dev")
        for node in nodes { try attach(node.mount, "dev/\(node.name)") }
        try steps.check(unsafe errand_set_attributes(dev, "", ERRAND_RDONLY), "sealing /dev")
        close(dev)
    }

    /// Makes the tree the root and lets go of the host's.
    func pivot() throws(SetupFailure) {
        try steps.begin(.pivot)
        try steps.check(answer(fchdir(root)), "entering the new root")
        try steps.check(errand_pivot_here(), "pivoting")
        try steps.check(unsafe errand_set_attributes(AT_FDCWD, "/", ERRAND_RDONLY), "sealing the root")
    }
}
