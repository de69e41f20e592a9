package import Platform

/// Everything a worker needs to know, filled by the composition root.
package struct WorkerConfiguration: Sendable {
    /// A user and a group of this machine.
    package struct Identity: Sendable, Equatable {
        package var userID: UInt32
        package var groupID: UInt32

        /// Names a user and a group.
        package init(userID: UInt32, groupID: UInt32) {
            self.userID = userID
            self.groupID = groupID
        }
    }

    /// The API's address, `https://HOST:PORT`.
    package var apiURL: String
    /// Whom to trust for the API, as a PEM file; nil for the system's authorities.
    package var apiAuthorities: String?
    /// Whom to trust for the model, as a PEM file; nil for the system's authorities.
    package var modelAuthorities: String?
    /// Where spools, projects and the credential are kept.
    package var dataDirectory: String
    /// Jobs that run at once.
    package var slots = 2
    /// The path of `errand-sandbox`.
    package var sandboxExecutable: String
    /// The directory with the agent's binary `claude`; nil when none is installed.
    package var agentDirectory: String?
    /// The first uid of the range for projects, when started by root.
    package var uidBase: UInt32 = 1_300_000
    /// The size of that range.
    package var uidCount: UInt32 = 65_536
    /// The one-time token of a worker that has no credential yet.
    package var enrolmentToken: String?
    /// Who to become after the sandbox server was started by root; nil stays root.
    package var runAs: Identity?
    /// The signal at its supervisor's end, which the change of user would make the kernel forget.
    package var parentDeath: ParentDeath?
    /// How long running jobs may go on when the worker is told to stop.
    package var drainLimit = Duration.seconds(30)
    /// Disk space for output that the API has not stored yet: a quarter of an hour of a busy worker's.
    package var spoolBytes = 4 << 30
    /// Output that one attempt may write: the longest builds log a tenth of it, a loop that prints for ever fills a disk.
    package var outputBytes = 4 << 30
    /// Memory of the workspace of a job without a project's.
    package var ephemeralBytes: UInt64 = 1 << 30
    /// Called for what is worth a line in the operator's log.
    package var onEvent: @Sendable (WorkerEvent) -> Void = { _ in }

    /// Names what has no default.
    package init(apiURL: String, dataDirectory: String, sandboxExecutable: String) {
        self.apiURL = apiURL
        self.dataDirectory = dataDirectory
        self.sandboxExecutable = sandboxExecutable
    }

    /// The worker's own files.
    var stateDirectory: String { dataDirectory + "/state" }
    /// The projects' workspaces, which only the sandbox server touches.
    var projectsDirectory: String { dataDirectory + "/projects" }
}
