import Glibc
import Platform
import Sandbox
import Testing

/// The real agent starts inside; where there is none the test says so.
@Suite struct AgentTests {
    /// `ERRAND_AGENT_PATH`, else `claude` on the PATH.
    private static var agent: String? {
        func variable(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }
        if let named = variable("ERRAND_AGENT_PATH") { return named }
        let path = variable("PATH") ?? ""
        return path.split(separator: ":").map { "\($0)/claude" }.first { unsafe access($0, X_OK) == 0 }
    }

    @Test func `the agent's binary runs inside`() async throws {
        guard let agent = Self.agent, let slash = agent.lastIndex(of: "/") else {
            try Test.cancel("no agent: set ERRAND_AGENT_PATH or put claude on the PATH")
        }
        let name = agent[agent.index(after: slash)...]
        let outcome = try await SandboxHarness.run({ $0.agentDirectory = String(agent[..<slash]) }) { server, harness in
            let space = try await harness.project(server, "agent", port: 8080)
            let outcome = try await space.outcome(["\(SandboxLayout.agentDirectory)/\(name)", "--version"])
            let touched = try await space.shell("echo x > \(SandboxLayout.agentDirectory)/file")
            #expect(touched.errors.contains("Read-only file system"))
            await space.destroy()
            return outcome
        }
        #expect(outcome.exit == .exited(0))
        #expect(outcome.output.hasSuffix("(Claude Code)\n"))
    }
}
