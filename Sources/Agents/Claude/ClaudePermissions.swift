import Core

/// What Errand answers when the CLI asks whether a tool may run and no person is there.
struct ClaudePermissions: Sendable {
    enum Answer: Equatable {
        case allow
        /// The model reads the reason.
        case deny(String)
    }

    /// The tools that neither write nor run anything.
    static let readingTools = ["Read", "Glob", "Grep"]

    let policy: AgentPolicy

    func answer(tool: String, needsPerson: Bool) -> Answer {
        if tool == "AskUserQuestion" {
            return .deny(
                "Nobody is there to answer: this job runs unattended. Decide yourself, say what you assumed, and go on."
            )
        }
        switch policy {
        case .contained: return .allow
        case .ask:
            return .deny(
                "This project's policy asks a person before a tool like this runs, and nobody is there to approve it."
            )
        case .readOnly:
            guard !needsPerson, Self.readingTools.contains(tool) else {
                return .deny("This project's policy is read-only: nothing may be written or run.")
            }
            return .allow
        }
    }
}
