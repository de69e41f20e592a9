import Core
import Platform
import Testing

@testable import Agents

@Suite struct ClaudeWatchdogTests {
    private static func at(_ seconds: UInt64) -> Instant { Instant(nanoseconds: (seconds + 5) * 1_000_000_000) }

    @Test func `an agent that says nothing at the start is stopped once`() {
        var agent = ClaudeAgent(policy: .contained)
        #expect(agent.tick(now: Self.at(0)) == [])
        #expect(agent.tick(now: Self.at(59)) == [])
        #expect(agent.tick(now: Self.at(60)) == [.stop(.agentFailed, "The agent did not start within 60 s.")])
        #expect(agent.tick(now: Self.at(61)) == [])
    }

    @Test func `silence in mid-turn is stopped, a sign of life starts the wait anew`() {
        var agent = ClaudeAgent(policy: .contained)
        _ = agent.receive(Lines.initialized)
        #expect(agent.tick(now: Self.at(0)) == [])
        #expect(agent.tick(now: Self.at(899)) == [])
        _ = agent.receive(#"{"type":"system","subtype":"api_retry"}"#)
        #expect(agent.tick(now: Self.at(901)) == [])
        #expect(agent.tick(now: Self.at(1_800)) == [])
        #expect(agent.tick(now: Self.at(1_801)) == [.stop(.agentFailed, "The agent was silent for 900 s.")])
    }

    @Test func `a running tool may be silent for hours`() {
        var agent = ClaudeAgent(policy: .contained)
        _ = agent.receive(Lines.initialized, Lines.bash)
        #expect(agent.tick(now: Self.at(0)) == [])
        #expect(agent.tick(now: Self.at(20_000)) == [])
        _ = agent.receive(Lines.bashResult)
        #expect(agent.tick(now: Self.at(20_001)) == [])
        #expect(agent.tick(now: Self.at(20_901)).count == 1)
    }

    @Test func `an exit that does not come is helped along and blamed on nobody`() {
        var agent = ClaudeAgent(policy: .contained)
        _ = agent.receive(Lines.initialized, Lines.success)
        #expect(agent.tick(now: Self.at(0)) == [])
        #expect(agent.tick(now: Self.at(10)) == [.stop(nil, "The agent did not exit 10 s after its answer.")])
        #expect(agent.outcome(exit: .signaled(15), killedBecause: nil).state == .succeeded)
    }

    @Test func `a turn of its own accord after the answer suspends the wait for the exit`() {
        var agent = ClaudeAgent(policy: .contained)
        _ = agent.receive(Lines.initialized, Lines.success)
        #expect(agent.tick(now: Self.at(0)) == [])
        _ = agent.receive(Lines.initialized)
        #expect(agent.tick(now: Self.at(1)) == [])
        #expect(agent.tick(now: Self.at(100)) == [])
    }
}
