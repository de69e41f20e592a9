import CLinux
import Glibc
import SandboxSpec

/// Everything a new process needs to turn itself into a sandbox's init; made by the server, used by the child.
struct SandboxBirth {
    let plan: SandboxPlan
    let mode: SandboxMode
    /// The host uid and gid of everything inside.
    let uid: UInt32
    let gid: UInt32
    let contents: RootContents
    let projectsRoot: String
    /// The compiled seccomp program.
    let filter: [UInt8]
    let control: Int32
    /// The template's mount namespace; only with root.
    let template: Int32
    /// The project's trees; only with root, since a user namespace may not attach the host's.
    let trees: WorkspaceTrees?

    /// Sets the sandbox up and serves commands in it; a failed step is reported and ends everything.
    func run() -> Never {
        let channel = Channel(control)
        let steps = Steps(fault: plan.fault)
        do throws(SetupFailure) {
            let signals = try confine(channel, steps)
            InitProcess(channel: channel, signals: signals).serve()
        } catch {
            _ = channel.send(InitReply.failed(error).encoded())
            _exit(1)
        }
    }

    private func confine(_ channel: Channel, _ steps: Steps) throws(SetupFailure) -> Int32 {
        try leaveServer(steps)
        let identity = Identity(mode: mode, uid: uid, gid: gid, steps: steps)
        if mode == .rootless { try identity.map() }
        try steps.begin(.session)
        try steps.check(answer(setsid()), "setsid")
        umask(0o022)
        try steps.begin(.cgroupNamespace)
        try steps.check(errand_unshare(ERRAND_NEWCGROUP), "unshare")
        // The listener is made before the root changes and sent at once: it is all that leaves the namespace.
        try openNetwork(channel, steps)
        let mounts = try mode == .root ? enterTemplate(steps) : buildRoot(steps)
        try replaceStandardStreams(steps)
        let seen = try MountTable.verify(mounts, steps)
        try identity.assume()
        try Confinement(plan: plan, steps: steps).limit()
        try steps.begin(.childSignals)
        let signals = try steps.check(errand_child_signals(), "signalfd")
        try steps.begin(.dumpable)
        try steps.check(errand_prctl(PR_SET_DUMPABLE, 0), "PR_SET_DUMPABLE")
        try steps.begin(.descriptors)
        try steps.check(closeAll(except: [control, signals]), "closing descriptors")
        try steps.begin(.filter)
        try steps.check(unsafe errand_install_filter(filter, filter.count), "installing the seccomp program")
        let facts = try Confinement.verify(mode: mode, uid: uid, mounts: seen, steps)
        try steps.check(channel.send(InitReply.ready(facts).encoded()), "reporting readiness")
        return signals
    }

    /// Closes everything of the server's first, its socket above all, and binds the life of this process to its.
    private func leaveServer(_ steps: Steps) throws(SetupFailure) {
        try steps.begin(.deathSignal)
        var kept = [control]
        if mode == .root { kept.append(template) }
        if let trees { kept += [trees.workspace, trees.configuration] }
        try steps.check(closeAll(except: kept), "closing the server's descriptors")
        try steps.check(errand_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL)), "PR_SET_PDEATHSIG")
    }

    private func openNetwork(_ channel: Channel, _ steps: Steps) throws(SetupFailure) {
        try steps.begin(.loopback)
        try steps.check(errand_loopback_up(), "bringing the loopback interface up")
        try steps.begin(.listener)
        if let port = plan.listenerPort {
            let listener = Descriptor(try steps.check(errand_listen_loopback(port), "listening on 127.0.0.1:\(port)"))
            try steps.check(channel.send(InitReply.listener.encoded(), [listener.raw]), "passing the listener out")
        }
        try steps.begin(.hostname)
        let name = Array(plan.hostname.utf8).map(CChar.init(bitPattern:))
        try steps.check(answer(unsafe sethostname(name, name.count)), "sethostname")
    }

    /// With root: a copy of the template, to which the sandbox's own mounts are added.
    private func enterTemplate(_ steps: Steps) throws(SetupFailure) -> MountTable.Expectation {
        try steps.begin(.template)
        try steps.check(errand_setns(template, ERRAND_NEWNS), "entering the template")
        try steps.begin(.mountNamespace)
        try steps.check(errand_unshare(ERRAND_NEWNS), "copying the template")
        let root = Descriptor(
            try steps.check(answer(unsafe open("/", ERRAND_O_PATH | O_DIRECTORY | O_CLOEXEC)), "opening /")
        )
        let mounts = Mounts(root: root.raw, steps: steps, owner: uid, limits: plan.limits)
        try mounts.mountProc()
        try mounts.mountPrivate()
        try mounts.mountWorkspace(plan, trees)
        return mounts.expectation(contents, boundDevices: false, readOnlyWorkspace: isReadOnly)
    }

    /// Without root: the whole tree anew, since only this user namespace may mount.
    private func buildRoot(_ steps: Steps) throws(SetupFailure) -> MountTable.Expectation {
        try steps.check(errand_make_private(), "making mounts private")
        var trees: WorkspaceTrees?
        let tree = try RootTree.build(
            contents,
            devices: .bound,
            extra: { () throws(SetupFailure) in trees = try cloneWorkspace(steps) },
            steps
        )
        let mounts = Mounts(root: tree.root, steps: steps, owner: SandboxPaths.innerID, limits: plan.limits)
        // Before the pivot: a user namespace may mount /proc only where a whole one is still in sight.
        try mounts.mountProc()
        try mounts.mountPrivate()
        try mounts.mountWorkspace(plan, trees)
        let expectation = mounts.expectation(contents, boundDevices: true, readOnlyWorkspace: isReadOnly)
        try tree.pivot()
        return expectation
    }

    private func cloneWorkspace(_ steps: Steps) throws(SetupFailure) -> WorkspaceTrees? {
        guard case .project(let name, _, let readOnly) = plan.workspace else { return nil }
        let directories = try ProjectDirectories(path: projectsRoot, mode: mode)
        let pair = try directories.open(name, uid: geteuid(), steps)
        return try WorkspaceTrees(pair, readOnly: readOnly, recursive: true, steps)
    }

    private var isReadOnly: Bool {
        if case .project(_, _, let readOnly) = plan.workspace { return readOnly }
        return false
    }

    /// The server's stderr must not reach the workload.
    private func replaceStandardStreams(_ steps: Steps) throws(SetupFailure) {
        try steps.begin(.standardStreams)
        let null = try steps.check(answer(unsafe open("/dev/null", O_RDWR | O_CLOEXEC)), "opening /dev/null")
        for stream in Int32(0)...2 { try steps.check(answer(dup2(null, stream)), "replacing stream \(stream)") }
    }

    private func closeAll(except kept: [Int32]) -> Int32 {
        var first: UInt32 = 3
        for descriptor in kept.sorted() {
            let number = UInt32(descriptor)
            if number > first {
                let result = errand_close_range(first, number - 1)
                if result < 0 { return result }
            }
            first = max(first, number + 1)
        }
        return errand_close_range(first, UInt32.max)
    }
}
