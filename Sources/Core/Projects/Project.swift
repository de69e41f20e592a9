package import Bytes

/// What an agent may do when nobody is there to ask.
package enum AgentPolicy: String, Sendable, CaseIterable {
    /// Every tool, inside the sandbox.
    case contained
    /// A tool that needs leave is a question to a person; without an answer it is denied with a reason.
    case ask
    /// Nothing that writes or runs.
    case readOnly = "read_only"
}

/// A workspace with a policy, owned by a team.
package struct Project: Sendable, Equatable {
    package var id: ProjectID
    package var teamID: TeamID
    package var name: String
    package var policy: AgentPolicy
    /// The worker that holds the workspace; nil until a job first used it.
    package var homeWorker: WorkerID?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    /// Makes a project from its stored parts.
    package init(
        id: ProjectID,
        teamID: TeamID,
        name: String,
        policy: AgentPolicy,
        homeWorker: WorkerID?,
        createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        self.id = id
        self.teamID = teamID
        self.name = name
        self.policy = policy
        self.homeWorker = homeWorker
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
