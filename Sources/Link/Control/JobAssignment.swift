package import Core

/// The key to a model, granted to one attempt; it never enters a sandbox, a log or an error.
package struct ModelGrant: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// Where the model's API is, and which addresses its name may have.
    package var endpoint: ModelEndpoint
    package var apiKey: String

    /// Pairs a model with its key.
    package init(endpoint: ModelEndpoint, apiKey: String) {
        self.endpoint = endpoint
        self.apiKey = apiKey
    }

    package var description: String { "ModelGrant(\(endpoint.baseURL))" }
    package var customMirror: Mirror { Mirror(self, children: ["baseURL": endpoint.baseURL]) }
}

/// One claimed job on its way to the worker that runs it.
package struct JobAssignment: Sendable, Equatable {
    package var attempt: AttemptID
    package var project: ProjectID
    package var workspace: WorkspaceMode
    package var policy: AgentPolicy
    package var work: JobWork
    /// The wall time the attempt may take; nil for no limit.
    package var timeoutSeconds: Int?
    /// The model for an agent's job; nil for a command, or when no model is configured.
    package var model: ModelGrant?

    /// Makes an assignment of checked parts.
    package init(
        attempt: AttemptID,
        project: ProjectID,
        workspace: WorkspaceMode,
        policy: AgentPolicy,
        work: JobWork,
        timeoutSeconds: Int?,
        model: ModelGrant?
    ) {
        self.attempt = attempt
        self.project = project
        self.workspace = workspace
        self.policy = policy
        self.work = work
        self.timeoutSeconds = timeoutSeconds
        self.model = model
    }
}
