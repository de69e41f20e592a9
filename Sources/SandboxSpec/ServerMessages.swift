/// What the worker asks of the fork server.
package enum ServerRequest: Equatable, Sendable {
    /// Makes a project's directories, owned by its uid.
    case prepareProject(request: UInt32, name: String, uidIndex: UInt32)
    /// Deletes a project's directories.
    case removeProject(request: UInt32, name: String)
    /// Makes a sandbox; carries the control socket and the filter program.
    case create(request: UInt32, plan: SandboxPlan)
    /// Kills a sandbox and everything in it.
    case kill(id: String)

    /// The message's bytes.
    package func encoded() -> [UInt8] {
        switch self {
        case .prepareProject(let request, let name, let uidIndex):
            var writer = WireWriter(kind: 1)
            writer.integer(request)
            writer.text(name)
            writer.integer(uidIndex)
            return writer.bytes
        case .removeProject(let request, let name):
            var writer = WireWriter(kind: 2)
            writer.integer(request)
            writer.text(name)
            return writer.bytes
        case .create(let request, let plan):
            var writer = WireWriter(kind: 3)
            writer.integer(request)
            plan.write(to: &writer)
            return writer.bytes
        case .kill(let id):
            var writer = WireWriter(kind: 4)
            writer.text(id)
            return writer.bytes
        }
    }

    package init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = try WireReader(bytes)
        switch reader.kind {
        case 1:
            self = .prepareProject(
                request: try reader.integer(),
                name: try reader.text(),
                uidIndex: try reader.integer()
            )
        case 2: self = .removeProject(request: try reader.integer(), name: try reader.text())
        case 3: self = .create(request: try reader.integer(), plan: try SandboxPlan(from: &reader))
        case 4: self = .kill(id: try reader.text())
        default: throw WireError("request kind \(reader.kind)")
        }
        try reader.end()
    }
}

/// What the fork server says about itself when it is ready.
package struct ServerGreeting: Equatable, Sendable {
    /// How sandboxes are made.
    package var mode: SandboxMode
    /// What is weaker than a full set-up by root.
    package var degraded: [String]
    /// The kernel's Landlock ABI, 0 without.
    package var landlockABI: UInt32
    /// The kernel release.
    package var kernel: String
    /// Project uid indices are below this; the rest of the range serves ephemeral sandboxes.
    package var projectUIDs: UInt32

    package init(
        mode: SandboxMode,
        degraded: [String],
        landlockABI: UInt32,
        kernel: String,
        projectUIDs: UInt32
    ) {
        self.mode = mode
        self.degraded = degraded
        self.landlockABI = landlockABI
        self.kernel = kernel
        self.projectUIDs = projectUIDs
    }
}

/// What the fork server answers.
package enum ServerReply: Equatable, Sendable {
    /// The first message: the server serves.
    case ready(ServerGreeting)
    /// The request is done.
    case done(request: UInt32)
    /// The sandbox's init exists and sets itself up; carries its pidfd.
    case created(request: UInt32, uid: UInt32)
    /// The request is refused; request 0 is the start of the server itself.
    case failed(request: UInt32, SetupFailure)
    /// A sandbox is gone, with everything in it.
    case ended(id: String)

    /// The message's bytes.
    package func encoded() -> [UInt8] {
        switch self {
        case .ready(let greeting):
            var writer = WireWriter(kind: 1)
            writer.integer(greeting.mode.rawValue)
            writer.texts(greeting.degraded)
            writer.integer(greeting.landlockABI)
            writer.text(greeting.kernel)
            writer.integer(greeting.projectUIDs)
            return writer.bytes
        case .done(let request):
            var writer = WireWriter(kind: 2)
            writer.integer(request)
            return writer.bytes
        case .created(let request, let uid):
            var writer = WireWriter(kind: 3)
            writer.integer(request)
            writer.integer(uid)
            return writer.bytes
        case .failed(let request, let failure):
            var writer = WireWriter(kind: 4)
            writer.integer(request)
            writer.failure(failure)
            return writer.bytes
        case .ended(let id):
            var writer = WireWriter(kind: 5)
            writer.text(id)
            return writer.bytes
        }
    }

    package init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = try WireReader(bytes)
        switch reader.kind {
        case 1:
            guard let mode = SandboxMode(rawValue: try reader.integer()) else { throw WireError("mode") }
            self = .ready(
                ServerGreeting(
                    mode: mode,
                    degraded: try reader.texts(),
                    landlockABI: try reader.integer(),
                    kernel: try reader.text(),
                    projectUIDs: try reader.integer()
                )
            )
        case 2: self = .done(request: try reader.integer())
        case 3: self = .created(request: try reader.integer(), uid: try reader.integer())
        case 4: self = .failed(request: try reader.integer(), try reader.failure())
        case 5: self = .ended(id: try reader.text())
        default: throw WireError("reply kind \(reader.kind)")
        }
        try reader.end()
    }
}

extension WireWriter {
    mutating func failure(_ failure: SetupFailure) {
        text(failure.step)
        integer(failure.errno)
        text(failure.detail)
    }
}

extension WireReader {
    mutating func failure() throws(WireError) -> SetupFailure {
        SetupFailure(step: try text(), errno: try integer(), detail: try text())
    }
}
