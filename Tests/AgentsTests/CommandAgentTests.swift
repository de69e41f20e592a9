import Core
import Testing

@testable import Agents

@Suite struct CommandAgentTests {
    private static func launch(
        _ argv: [String],
        environment: [String: String] = [:],
        input: String? = nil
    ) throws -> AgentLaunch {
        let spec = CommandSpec(argv: argv, environment: environment, standardInput: input)
        return try AgentPlan.make(work: .command(spec), policy: .contained, modelToken: "run-token").launch
    }

    @Test func `arguments pass unchanged and input ends after what was given`() throws {
        let launch = try Self.launch(["sh", "-c", "echo $1; $(x)"], input: "text")
        #expect(launch.arguments == ["sh", "-c", "echo $1; $(x)"])
        #expect(launch.firstInput == [UInt8]("text".utf8))
        #expect(launch.closesInputAfterFirst)
        #expect(launch.workingDirectory == "/workspace")
    }

    @Test func `own variables override the base ones and the model token is not among them`() throws {
        let launch = try Self.launch(["env"], environment: ["HOME": "/elsewhere", "A": "1"])
        #expect(launch.environment.filter { $0.0 == "HOME" }.map(\.1) == ["/elsewhere"])
        #expect(launch.environment.contains { $0 == ("A", "1") })
        #expect(launch.environment.contains { $0.0 == "PATH" })
        #expect(!launch.environment.contains { $0.1.contains("run-token") })
    }

    @Test(arguments: [[], [""], ["echo", "a\u{0}b"]])
    func `a command that cannot be started is refused`(argv: [String]) {
        #expect(throws: AgentRefusal.self) { try Self.launch(argv) }
    }

    @Test(arguments: [("", "x"), ("A=B", "x"), ("A", "x\u{0}"), ("A\u{0}", "x")])
    func `a malformed variable is refused`(name: String, value: String) {
        #expect(throws: AgentRefusal.self) { try Self.launch(["env"], environment: [name: value]) }
    }

    @Test(arguments: [
        (AgentExit.exited(0), nil as JobReason?, JobState.succeeded, nil as JobReason?),
        (.exited(3), nil, .failed, .exitCode), (.signaled(11), nil, .failed, .signal),
        (.signaled(9), .timeout, .timedOut, .timeout), (.signaled(15), .cancelledByUser, .cancelled, .cancelledByUser),
        (.exited(0), .timeout, .timedOut, .timeout), (.signaled(9), .spoolFull, .failed, .spoolFull),
    ])
    func `the exit is the outcome unless Errand ended it`(
        exit: AgentExit,
        killedBecause: JobReason?,
        state: JobState,
        reason: JobReason?
    ) {
        let outcome = CommandAgent(program: "make").outcome(exit: exit, killedBecause: killedBecause)
        #expect(outcome.state == state)
        #expect(outcome.reason == reason)
        switch exit {
        case .exited(let code): #expect(outcome.result.exitCode == Int(code))
        case .signaled(let number): #expect(outcome.result.signal == Int(number))
        }
    }

    @Test func `output is recorded as it is, in records of bounded size`() {
        var agent = CommandAgent(program: "cat")
        let output = [UInt8](repeating: 0xff, count: LogRecord.maximumBytes + 1)
        #expect(
            agent.receive(stdout: output) == [
                .record(.stdout, [UInt8](output.dropLast())), .record(.stdout, [0xff]),
            ]
        )
        #expect(agent.receive(stderr: [1]) == [.record(.stderr, [1])])
        #expect(agent.receive(stdout: []) == [])
    }
}
