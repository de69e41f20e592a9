/// How to start an agent inside its sandbox.
package struct AgentLaunch: Sendable, Equatable {
    /// The program first; without a slash it is looked up on the environment's `PATH`.
    package var arguments: [String]
    /// The whole environment: nothing is inherited.
    package var environment: [(String, String)]
    package var workingDirectory: String
    /// Written to standard input at once.
    package var firstInput: [UInt8]
    /// Whether standard input ends after `firstInput`.
    package var closesInputAfterFirst: Bool

    /// Makes a launch from its parts.
    package init(
        arguments: [String],
        environment: [(String, String)],
        workingDirectory: String,
        firstInput: [UInt8],
        closesInputAfterFirst: Bool
    ) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.firstInput = firstInput
        self.closesInputAfterFirst = closesInputAfterFirst
    }

    package static func == (left: AgentLaunch, right: AgentLaunch) -> Bool {
        left.arguments == right.arguments && left.environment.elementsEqual(right.environment, by: ==)
            && left.workingDirectory == right.workingDirectory && left.firstInput == right.firstInput
            && left.closesInputAfterFirst == right.closesInputAfterFirst
    }
}

/// Where an agent finds things, as seen from inside its sandbox.
package struct AgentPlaces: Sendable {
    package var executable: String
    package var workspace: String
    package var home: String
    package var configDirectory: String
    package var temporaryDirectory: String
    /// The `PATH` of the agent and its commands.
    package var searchPath: String
    /// The model route: a loopback listener that only this attempt can reach.
    package var modelURL: String

    /// The layout of Errand's own sandbox.
    package static let sandbox = AgentPlaces(
        executable: "/opt/errand/agent/claude",
        workspace: "/workspace",
        home: "/home/agent",
        configDirectory: "/state/config",
        temporaryDirectory: "/tmp",
        searchPath: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        modelURL: "http://127.0.0.1:8080"
    )

    /// Makes a layout from its parts.
    package init(
        executable: String,
        workspace: String,
        home: String,
        configDirectory: String,
        temporaryDirectory: String,
        searchPath: String,
        modelURL: String
    ) {
        self.executable = executable
        self.workspace = workspace
        self.home = home
        self.configDirectory = configDirectory
        self.temporaryDirectory = temporaryDirectory
        self.searchPath = searchPath
        self.modelURL = modelURL
    }

    /// The variables that every kind of agent gets.
    var baseEnvironment: [(String, String)] {
        [
            ("HOME", home), ("PATH", searchPath), ("LANG", "C.UTF-8"), ("TERM", "dumb"),
            ("TMPDIR", temporaryDirectory),
        ]
    }
}

/// Why work cannot be turned into a launch.
package struct AgentRefusal: Error, Equatable, CustomStringConvertible {
    /// What is wrong, fit for the job's submitter.
    package let description: String

    init(_ description: String) { self.description = description }
}
