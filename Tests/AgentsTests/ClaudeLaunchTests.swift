import Bytes
import Core
import Testing

@testable import Agents

@Suite struct ClaudeLaunchTests {
    private static func plan(
        prompt: String = "hello",
        model: String? = nil,
        maxTurns: Int? = nil,
        policy: AgentPolicy = .contained
    ) throws -> AgentLaunch {
        let spec = ClaudeSpec(prompt: prompt, model: model, maxTurns: maxTurns)
        return try AgentPlan.make(work: .claude(spec), policy: policy, modelToken: "run-token").launch
    }

    @Test(arguments: ["hello", "/compact", "@/etc/passwd", "--model=x", "two\nlines \"quoted\" \u{0} end"])
    func `the prompt crosses as one JSON line and never as an argument`(prompt: String) throws {
        let launch = try Self.plan(prompt: prompt)
        #expect(!launch.arguments.contains { $0.contains(prompt) })
        #expect(launch.firstInput.filter { $0 == 0x0a }.count == 1)
        let line = try JSONReader.parse(launch.firstInput.dropLast())
        #expect(line["message"]?["content"]?.array?.first?["text"]?.string == prompt)
        #expect(line["client_composed"]?.bool == true)
        #expect(line["uuid"]?.string?.count == 36)
        #expect(!launch.closesInputAfterFirst)
    }

    @Test func `the repository is not trusted and the environment is bare`() throws {
        let launch = try Self.plan()
        #expect(launch.arguments.contains("--setting-sources="))
        #expect(launch.arguments.contains("--strict-mcp-config"))
        #expect(launch.workingDirectory == "/workspace")
        let environment = Dictionary(launch.environment) { first, _ in first }
        #expect(environment.count == launch.environment.count)
        #expect(environment["ANTHROPIC_API_KEY"] == "run-token")
        #expect(environment["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8080")
        #expect(environment["CLAUDE_CODE_DISABLE_AUTO_MEMORY"] == "1")
        #expect(environment["CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST"] == "1")
        #expect(environment["CLAUDE_CONFIG_DIR"] == "/state/config")
        #expect(!launch.arguments.contains { $0.contains("run-token") })
    }

    @Test func `model and turns become flags with their values attached`() throws {
        let launch = try Self.plan(model: "claude-opus-4-1[1m]", maxTurns: 3)
        #expect(launch.arguments.contains("--model=claude-opus-4-1[1m]"))
        #expect(launch.arguments.contains("--max-turns=3"))
        let bare = try Self.plan()
        #expect(!bare.arguments.contains { $0.hasPrefix("--model") || $0.hasPrefix("--max-turns") })
    }

    @Test(arguments: ["", "a b", "x;y", "a\nb", "módel", "x=y", String(repeating: "m", count: 129)])
    func `a malformed model name is refused`(name: String) {
        #expect(throws: AgentRefusal.self) { try Self.plan(model: name) }
    }

    @Test(arguments: [0, -1, 10_001])
    func `a senseless number of turns is refused`(turns: Int) {
        #expect(throws: AgentRefusal.self) { try Self.plan(maxTurns: turns) }
    }

    @Test func `a read-only agent is given the reading tools alone`() throws {
        let readOnly = try Self.plan(policy: .readOnly)
        #expect(readOnly.arguments.contains("--tools=Read,Glob,Grep"))
        let contained = try Self.plan()
        #expect(!contained.arguments.contains { $0.hasPrefix("--tools") })
    }

    @Test func `a random id is a version 4 UUID`() {
        #expect(uuid(high: 0, low: 0) == "00000000-0000-4000-8000-000000000000")
        #expect(uuid(high: .max, low: .max) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(randomUUID() != randomUUID())
    }
}
