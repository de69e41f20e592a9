import Core
import Link

/// Assignments that tests give.
enum Assignments {
    /// A command without a workspace.
    static func command(
        _ attempt: AttemptID = Names.attempt,
        workspace: WorkspaceMode = .none,
        timeout: Int? = nil
    ) -> JobAssignment {
        JobAssignment(
            attempt: attempt,
            project: Names.project,
            workspace: workspace,
            policy: .contained,
            work: .command(CommandSpec(argv: ["tool", "x"], environment: ["A": "1"], standardInput: "in")),
            timeoutSeconds: timeout,
            model: nil
        )
    }

    /// An agent's job.
    static func agent(model: ModelGrant?) -> JobAssignment {
        JobAssignment(
            attempt: Names.attempt,
            project: Names.project,
            workspace: .none,
            policy: .contained,
            work: .claude(ClaudeSpec(prompt: "say done", model: nil, maxTurns: nil)),
            timeoutSeconds: nil,
            model: model
        )
    }
}
