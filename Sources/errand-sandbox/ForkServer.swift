import CLinux
import Glibc
import SandboxSpec

/// Serves the worker's requests one after the other, and outlives none of its sandboxes.
struct ForkServer: ~Copyable {
    private let options: ServerOptions
    private let channel: Channel
    private let mode: SandboxMode
    private let contents: RootContents
    private let projects: ProjectDirectories
    private let template: Descriptor?
    private var children = Children()
    private var serial = 0

    /// Proves that sandboxes can be made here, and builds what they share.
    init(options: ServerOptions, channel: Channel) throws(SetupFailure) {
        let mode = try Privileges.mode()
        let contents = try RootContents(agentDirectory: options.agentDirectory)
        let projects = try ProjectDirectories(path: options.projectsRoot, mode: mode)
        let template = mode == .root ? try Template.make(contents) : nil
        self.options = options
        self.channel = channel
        self.mode = mode
        self.contents = contents
        self.projects = projects
        self.template = template
    }

    private mutating func greet() throws(SetupFailure) {
        for name in try projects.leftovers() { try startRemoval([name], request: nil) }
        let greeting = ServerGreeting(
            mode: mode,
            degraded: mode == .root ? [] : Privileges.degraded(),
            landlockABI: UInt32(max(0, errand_landlock_abi())),
            kernel: Privileges.kernelRelease(),
            projectUIDs: options.projectUIDs
        )
        send(.ready(greeting))
    }

    /// Serves until the worker closes the socket; then every sandbox is killed.
    consuming func serve() throws(SetupFailure) {
        try greet()
        while true {
            var entries = [pollfd(fd: channel.raw, events: Int16(POLLIN), revents: 0)]
            entries += children.entries.map { pollfd(fd: $0.pidfd, events: Int16(POLLIN), revents: 0) }
            let ready = unsafe poll(&entries, nfds_t(entries.count), -1)
            if ready < 0 {
                if errno == EINTR { continue }
                throw SetupFailure(step: "serve", errno: errno, detail: "poll")
            }
            for entry in entries.dropFirst() where entry.revents != 0 { reap(entry.fd) }
            if entries[0].revents != 0, try !takeRequest() { break }
        }
        children.killAll()
    }

    /// Takes one request; false when the worker has gone.
    private mutating func takeRequest() throws(SetupFailure) -> Bool {
        let message: Message
        do {
            guard let received = try channel.receive() else { return false }
            message = received
        } catch {
            throw SetupFailure(step: "serve", errno: error.errno, detail: "receiving a request")
        }
        defer { for descriptor in message.descriptors { close(descriptor) } }
        let request: ServerRequest
        do {
            request = try ServerRequest(decoding: message.bytes)
        } catch {
            throw SetupFailure(step: "serve", errno: EPROTO, detail: error.reason)
        }
        switch request {
        case .prepareProject(let number, let name, let uidIndex):
            answer(number) { (server, steps) throws(SetupFailure) in
                try server.prepare(name, uidIndex, steps)
                server.send(.done(request: number))
            }
        case .removeProject(let number, let name):
            answer(number) { (server, steps) throws(SetupFailure) in
                try server.remove(name, number, steps)
            }
        case .create(let number, let plan):
            let fault = options.allowsFaults ? plan.fault : nil
            answer(number, fault: fault) { (server, steps) throws(SetupFailure) in
                try server.create(plan, number, message.descriptors, steps)
            }
        case .kill(let id):
            children.kill(id)
        }
        return true
    }

    private mutating func answer(
        _ number: UInt32,
        fault: String? = nil,
        _ body: (inout ForkServer, Steps) throws(SetupFailure) -> Void
    ) {
        do throws(SetupFailure) {
            try body(&self, Steps(fault: fault))
        } catch {
            send(.failed(request: number, error))
        }
    }

    private func prepare(_ name: String, _ uidIndex: UInt32, _ steps: Steps) throws(SetupFailure) {
        try steps.begin(.request)
        try steps.require(SandboxName.isComponent(name), EINVAL, "the project's name")
        let uid = try projectUID(uidIndex, steps)
        try steps.begin(.project)
        try projects.prepare(name, uid: uid, steps)
    }

    private mutating func remove(_ name: String, _ number: UInt32, _ steps: Steps) throws(SetupFailure) {
        try steps.begin(.request)
        try steps.require(SandboxName.isComponent(name), EINVAL, "the project's name")
        try steps.begin(.project)
        try steps.require(!children.holdsProject(name), EBUSY, "a sandbox of the project is alive")
        serial += 1
        let trash = try projects.discard(name, serial: serial, steps)
        try steps.require(!children.holdsRemoval(of: trash), EBUSY, "the project is being deleted")
        // None is there, and nothing of one that a removal before could not delete.
        guard !trash.isEmpty else { return send(.done(request: number)) }
        try startRemoval(trash, request: number)
    }

    /// Deletes in a child, since a workload may have left more than can be deleted between two requests.
    private mutating func startRemoval(_ names: [String], request: UInt32?) throws(SetupFailure) {
        var pidfd: Int32 = -1
        let pid = unsafe errand_clone(0, &pidfd)
        guard pid >= 0 else { throw SetupFailure(.process, -pid, "starting the removal") }
        if pid == 0 {
            // The server's socket must not stay open here: its end tells the worker that the server has gone.
            close(channel.raw)
            var failure: Int32 = 0
            for name in names where failure == 0 { failure = TreeRemoval.remove(name, below: projects.root.raw) }
            _exit(min(255, failure))
        }
        children.add(Child(pidfd: pidfd, kind: .removal(names, request: request)))
    }

    private mutating func create(
        _ plan: SandboxPlan,
        _ number: UInt32,
        _ descriptors: [Int32],
        _ steps: Steps
    ) throws(SetupFailure) {
        try steps.begin(.request)
        try steps.require(plan.fault == nil || options.allowsFaults, EPERM, "faults are not allowed here")
        try steps.require(descriptors.count == 2, EPROTO, "a sandbox needs a control socket and a filter")
        try PlanCheck.validate(plan, steps)
        try steps.require(!children.holdsSandbox(plan.id), EEXIST, "the sandbox's id is in use")
        let uid = try sandboxUID(plan, steps)
        try steps.begin(.project)
        let trees = try openTrees(plan, uid, steps)
        defer { trees?.closeAll() }
        try steps.begin(.policy)
        let filter = try PlanCheck.readFilter(descriptors[1], steps)
        try steps.begin(.process)
        let birth = SandboxBirth(
            plan: plan,
            mode: mode,
            uid: uid,
            gid: mode == .root ? uid : getegid(),
            contents: contents,
            projectsRoot: options.projectsRoot,
            filter: filter,
            control: descriptors[0],
            template: templateDescriptor,
            trees: trees
        )
        var pidfd: Int32 = -1
        let pid = unsafe errand_clone(namespaces, &pidfd)
        try steps.check(pid, "making the process")
        if pid == 0 { birth.run() }
        send(.created(request: number, uid: uid), [pidfd])
        children.add(Child(pidfd: pidfd, kind: .sandbox(id: plan.id, uid: uid, project: plan.projectName)))
    }

    /// With root the user namespace comes last, so that the workload owns none of the others.
    private var namespaces: UInt64 {
        let common = ERRAND_NEWPID | ERRAND_NEWIPC | ERRAND_NEWUTS | ERRAND_NEWTIME | ERRAND_NEWNET
        return mode == .root ? common : common | ERRAND_NEWUSER | ERRAND_NEWNS
    }

    private var templateDescriptor: Int32 {
        switch template {
        case .some(let held): held.raw
        case .none: -1
        }
    }

    private func openTrees(_ plan: SandboxPlan, _ uid: UInt32, _ steps: Steps) throws(SetupFailure) -> WorkspaceTrees? {
        guard case .project(let name, _, let readOnly) = plan.workspace else { return nil }
        // Without root the new process clones them itself; here it is only seen that they are what they should be.
        let pair = try projects.open(name, uid: uid, steps)
        guard mode == .root else { return nil }
        return try WorkspaceTrees(pair, readOnly: readOnly, recursive: false, steps)
    }

    private func projectUID(_ index: UInt32, _ steps: Steps) throws(SetupFailure) -> UInt32 {
        guard mode == .root else { return geteuid() }
        try steps.require(index < options.projectUIDs, ERANGE, "the uid index is outside the projects' range")
        return options.uidBase + index
    }

    private func sandboxUID(_ plan: SandboxPlan, _ steps: Steps) throws(SetupFailure) -> UInt32 {
        guard mode == .root else { return geteuid() }
        if case .project(_, let index, _) = plan.workspace { return try projectUID(index, steps) }
        let range = (options.uidBase + options.projectUIDs)..<(options.uidBase + options.uidCount)
        guard let free = range.first(where: { !children.holdsUID($0) }) else {
            throw SetupFailure(steps.current, EAGAIN, "every uid for ephemeral sandboxes is in use")
        }
        return free
    }

    private mutating func reap(_ pidfd: Int32) {
        guard let (child, status) = children.reap(pidfd) else { return }
        switch child.kind {
        case .sandbox(let id, _, _): send(.ended(id: id))
        case .removal(_, let request):
            guard let request else { return }
            if status == 0 {
                send(.done(request: request))
            } else {
                send(.failed(request: request, SetupFailure(.project, status, "deleting the project")))
            }
        }
    }

    private func send(_ reply: ServerReply, _ descriptors: [Int32] = []) {
        // A worker that has gone is noticed by the next receive.
        _ = channel.send(reply.encoded(), descriptors)
    }
}
