package import Core

/// How to start a job's agent, and the machine that then runs it.
package struct AgentPlan: Sendable {
    package var launch: AgentLaunch
    package var machine: any AgentMachine

    /// Plans any kind of work; `modelToken` is what the model broker of this attempt accepts.
    package static func make(
        work: JobWork,
        policy: AgentPolicy,
        modelToken: String,
        places: AgentPlaces = .sandbox
    ) throws(AgentRefusal) -> AgentPlan {
        switch work {
        case .claude(let spec):
            let launch = try ClaudeLaunch(spec: spec, policy: policy, modelToken: modelToken, places: places).launch()
            return AgentPlan(launch: launch, machine: ClaudeAgent(policy: policy))
        case .command(let spec):
            let launch = try CommandAgent.launch(spec, places: places)
            return AgentPlan(launch: launch, machine: CommandAgent(program: spec.argv[0]))
        }
    }
}
