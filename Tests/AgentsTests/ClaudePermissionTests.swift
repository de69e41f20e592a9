import Core
import Testing

@testable import Agents

@Suite struct ClaudePermissionTests {
    @Test(arguments: [
        (AgentPolicy.contained, "Bash", true), (.contained, "Write", true), (.ask, "Bash", false),
        (.ask, "Write", false), (.readOnly, "Bash", false), (.readOnly, "Write", false), (.readOnly, "Agent", false),
        (.readOnly, "Read", true), (.readOnly, "Grep", true),
    ])
    func `the policy decides what may run`(policy: AgentPolicy, tool: String, isAllowed: Bool) {
        var agent = ClaudeAgent(policy: policy)
        let actions = agent.receive(Lines.canUse(tool))
        let sent = actions.last?.sent ?? ""
        #expect(
            sent.contains(isAllowed ? #""behavior":"allow""# : #""behavior":"deny","message":"This project's policy"#)
        )
        #expect(sent.contains(#""request_id":"q-1""#))
        #expect(sent.hasSuffix("\n"))
        #expect(actions.count == (isAllowed ? 2 : 3))
    }

    @Test(arguments: AgentPolicy.allCases)
    func `a question to the person is denied with a reason under every policy`(policy: AgentPolicy) {
        var agent = ClaudeAgent(policy: policy)
        let sent = agent.receive(Lines.canUse("AskUserQuestion", needsPerson: true)).last?.sent
        #expect(sent?.contains(#""behavior":"deny","message":"Nobody is there to answer"#) == true)
    }

    @Test func `nothing is sent once the input is closed`() {
        var agent = ClaudeAgent(policy: .contained)
        _ = agent.receive(Lines.initialized, Lines.success)
        #expect(agent.receive(Lines.canUse("Bash")).allSatisfy { $0.sent == nil })
    }
}
