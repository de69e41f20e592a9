package import Core

/// How a worker introduces itself on a new control socket.
package struct HelloMessage: Sendable, Equatable {
    /// The protocol version of the worker; others than `LinkProtocol.version` are refused.
    package var version: Int
    /// The epoch of the session that this one continues; nil begins a new one.
    package var resuming: Int64?
    package var slots: Int
    /// The version of the agent's CLI; nil when none is installed.
    package var agentVersion: String?
    /// How strongly this worker contains jobs, for people.
    package var isolation: String?
    /// The attempts this worker holds: those that run, and those that ended without an acknowledgement.
    ///
    /// An attempt of the resumed lease that is not named here was never begun (its assignment was lost on the way):
    /// the API gives it back to the queue.
    package var running: [AttemptID]

    /// Makes an introduction.
    package init(
        version: Int = LinkProtocol.version,
        resuming: Int64?,
        slots: Int,
        agentVersion: String?,
        isolation: String?,
        running: [AttemptID]
    ) {
        self.version = version
        self.resuming = resuming
        self.slots = slots
        self.agentVersion = agentVersion
        self.isolation = isolation
        self.running = running
    }
}

/// Why a workspace transfer did not succeed.
package enum WorkspaceFailure: String, Sendable, CaseIterable {
    /// A job or another transfer uses the workspace.
    case busy
    /// The archive holds an entry that is not allowed; the text names it.
    case refused
    /// The archive is over a limit; the text names it.
    case tooLarge = "too_large"
    /// An entry of the archive cannot be put where it belongs; the text names both, the others were unpacked.
    case entryFailed = "entry_failed"
    /// The other side gave up.
    case cancelled
    /// The worker could not do it; the text says at which step.
    case failed
}

/// How a workspace transfer ended.
package enum WorkspaceOutcome: Sendable, Equatable {
    /// All of it arrived; bytes of the archive and its entries (0 when they were not counted).
    case done(bytes: UInt64, entries: Int)
    case failed(WorkspaceFailure, text: String)
}

/// What a worker says on the control socket.
package enum WorkerControlMessage: Sendable, Equatable {
    /// The first message of a socket.
    case hello(HelloMessage)
    /// A standing request: run up to `free` jobs here; replaces the former one.
    ///
    /// `received` counts the assignments that this socket has brought so far, so that those still on their way are
    /// not given out twice (`ClaimWindow`).
    case claim(free: Int, received: UInt64)
    /// The worker lives and holds these attempts; the answer repeats `serial`.
    case beat(serial: UInt64, running: [AttemptID])
    /// The work of an attempt began: its process was executed.
    case started(AttemptID)
    /// Attempts ended; sent again until acknowledged.
    case finish([AttemptEnd])
    /// Attempts that were never begun go back to the queue uncounted.
    case release([AttemptID], reason: String)
    /// A workspace transfer ended; sent exactly once per transfer.
    ///
    /// For a pull that sent chunks or succeeded, the end of the bytes themselves is `WorkerBulkMessage.end`.
    case workspaceDone(transfer: UInt64, WorkspaceOutcome)
    /// Workspaces are removed, now or before.
    case removed([ProjectID])
}
