import Platform
import Testing

@testable import Agents

@Suite struct ClaudeExecutableTests {
    @Test func `a named file is the only candidate, else the search path is walked`() {
        let named = ClaudeExecutable.candidates(named: "/opt/claude", searchPath: "/usr/bin")
        #expect(named == ["/opt/claude"])
        let found = ClaudeExecutable.candidates(named: "", searchPath: "/a/bin::relative:/b")
        #expect(found == ["/a/bin/claude", "/b/claude"])
        #expect(ClaudeExecutable.candidates(named: nil, searchPath: nil) == [])
    }

    @Test func `the first executable file is taken, links followed`() throws {
        let found = try ClaudeExecutable.locate(["/nonexistent/claude", "/usr", "/etc/passwd", "sh", "/bin/sh"])
        #expect(found.hasPrefix("/"))
        #expect(found.hasSuffix("sh"))
    }

    @Test func `without one the places and the variable are named`() {
        let error = #expect(throws: AgentMissing.self) { try ClaudeExecutable.locate(["/nonexistent/claude"]) }
        #expect(error?.description.contains("/nonexistent/claude") == true)
        #expect(error?.description.contains("ERRAND_AGENT_PATH") == true)
    }

    @Test(arguments: [
        ("2.1.329 (Claude Code)\n", "2.1.329" as String?), ("2.1.329", nil), ("2.1 (Claude Code)", nil),
        ("2.1.x (Claude Code)", nil), ("", nil), ("GNU bash 5.2.15 (Claude Code)", nil),
    ])
    func `a version is read from the CLI's own form alone`(output: String, version: String?) {
        #expect(ClaudeExecutable.version(in: [UInt8](output.utf8)) == version)
    }

    @Test func `the installed CLI says its version, another program does not pass for it`() async throws {
        try await AgentStage.run { stage in
            let loop = try #require(EventLoop.current)
            let installed = try await ClaudeExecutable.inspect(stage.places.executable, on: loop)
            #expect(installed.version == ClaudeExecutable.testedVersion)
            for other in ["/bin/true", "/bin/cat", "/nonexistent"] {
                await #expect(throws: AgentMissing.self) { try await ClaudeExecutable.inspect(other, on: loop) }
            }
        }
    }
}
