import CLinux
import Glibc
import SandboxSpec

/// The projects' directories on disk, reached only through the descriptor of their root.
///
/// `ROOT/NAME` belongs to root, `ROOT/NAME/workspace` and `ROOT/NAME/config` to the project's uid: a workload can
/// fill its two directories, and replace neither.
struct ProjectDirectories: ~Copyable {
    static let workspace = "workspace"
    static let configuration = "config"
    private static let trashPrefix = ".trash-"

    let root: Descriptor
    private let mode: SandboxMode

    init(path: String, mode: SandboxMode) throws(SetupFailure) {
        let raw = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else {
            throw SetupFailure(step: "projects root", errno: errno, detail: "opening the projects' directory")
        }
        let held = Descriptor(raw)
        var status = stat()
        _ = unsafe fstat(raw, &status)
        guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw SetupFailure(step: "projects root", errno: EPERM, detail: "must be ours alone to write")
        }
        root = held
        self.mode = mode
    }

    /// Makes the directories of a project, or accepts those that already belong to its uid.
    func prepare(_ name: String, uid: uid_t, _ steps: Steps) throws(SetupFailure) {
        let isNew = unsafe mkdirat(root.raw, name, 0o700) == 0
        try steps.check(isNew || errno == EEXIST ? 0 : -errno, "making the project's directory")
        let project = Descriptor(try steps.check(openDirectory(root.raw, name), "opening the project's directory"))
        var status = stat()
        _ = unsafe fstat(project.raw, &status)
        try steps.require(status.st_uid == geteuid(), EPERM, "the project's directory belongs to someone else")
        if isNew, mode == .root { try requireUnused(uid, except: name, steps) }
        for part in [Self.workspace, Self.configuration] {
            let made = unsafe mkdirat(project.raw, part, 0o700) == 0
            try steps.check(made || errno == EEXIST ? 0 : -errno, "making \(part)")
            // A job may have shut its own workspace; the name cannot be anything else, its directory is not the job's.
            if !made { try steps.check(unsafe answer(fchmodat(project.raw, part, 0o700, 0)), "opening \(part) again") }
            let directory = Descriptor(try steps.check(openDirectory(project.raw, part), "opening \(part)"))
            _ = unsafe fstat(directory.raw, &status)
            // Root's own: made just now, or by a server that ended before it could hand it over.
            if status.st_uid == geteuid(), mode == .root {
                try steps.check(answer(fchown(directory.raw, uid, uid)), "handing \(part) over")
            } else {
                try steps.require(status.st_uid == uid, EPERM, "\(part) belongs to another uid")
            }
        }
    }

    /// Opens the two directories of a project for mounting; they must belong to the uid.
    func open(_ name: String, uid: uid_t, _ steps: Steps) throws(SetupFailure) -> ProjectPair {
        let project = Descriptor(try steps.check(openDirectory(root.raw, name), "opening the project's directory"))
        return ProjectPair(
            workspace: try openOwned(project.raw, Self.workspace, uid, steps),
            configuration: try openOwned(project.raw, Self.configuration, uid, steps)
        )
    }

    /// Moves a project out of the way; what is to be deleted then, with all that earlier removals have left of it.
    func discard(_ name: String, serial: Int, _ steps: Steps) throws(SetupFailure) -> [String] {
        let target = "\(Self.trashPrefix)\(name)-\(getpid())-\(serial)"
        let isMoved = unsafe renameat(root.raw, name, root.raw, target) == 0
        guard isMoved || errno == ENOENT else {
            throw SetupFailure(steps.current, errno, "moving the project away")
        }
        return try leftovers().filter { Self.isTrash($0, of: name) }
    }

    /// Whether a name is what `discard` makes of a project's: that, a process and a number.
    private static func isTrash(_ name: String, of project: String) -> Bool {
        let prefix = "\(trashPrefix)\(project)-"
        guard name.hasPrefix(prefix) else { return false }
        let rest = name.utf8.dropFirst(prefix.utf8.count)
        let numbers = rest.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return numbers.count == 2 && numbers.allSatisfy { $0.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// What an earlier server moved away and did not finish deleting.
    func leftovers() throws(SetupFailure) -> [String] {
        do {
            return try listDirectory(root.raw).names.filter { $0.hasPrefix(Self.trashPrefix) }
        } catch {
            throw SetupFailure(step: "projects root", errno: error.errno, detail: "listing the projects")
        }
    }

    /// Two projects with one uid could read each other's files, so a new project gets a uid that none has.
    private func requireUnused(_ uid: uid_t, except name: String, _ steps: Steps) throws(SetupFailure) {
        let names: [String]
        do {
            names = try listDirectory(root.raw).names
        } catch {
            throw SetupFailure(steps.current, error.errno, "listing the projects")
        }
        for other in names where other != name && SandboxName.isComponent(other) {
            let raw = unsafe errand_open_beneath(
                root.raw,
                "\(other)/\(Self.workspace)",
                UInt64(ERRAND_O_PATH | O_DIRECTORY)
            )
            guard raw >= 0 else { continue }
            let directory = Descriptor(raw)
            var status = stat()
            _ = unsafe fstat(directory.raw, &status)
            if status.st_uid == uid {
                _ = unsafe unlinkat(root.raw, name, AT_REMOVEDIR)
                throw SetupFailure(steps.current, EADDRINUSE, "the uid belongs to another project")
            }
        }
    }

    private func openOwned(
        _ project: Int32,
        _ part: String,
        _ uid: uid_t,
        _ steps: Steps
    ) throws(SetupFailure) -> Descriptor {
        let directory = Descriptor(try steps.check(openDirectory(project, part), "opening \(part)"))
        var status = stat()
        _ = unsafe fstat(directory.raw, &status)
        try steps.require(status.st_uid == uid, EPERM, "\(part) does not belong to the project's uid")
        return directory
    }

    private func openDirectory(_ directory: Int32, _ name: String) -> Int32 {
        unsafe errand_open_beneath(directory, name, UInt64(O_RDONLY | O_DIRECTORY))
    }
}

/// A project's two directories, opened.
struct ProjectPair: ~Copyable {
    let workspace: Descriptor
    let configuration: Descriptor
}
