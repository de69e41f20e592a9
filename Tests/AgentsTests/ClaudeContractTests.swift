import Agents
import Core
import Egress
import Testing

/// The real CLI against the stand-in: what `ClaudeAgent` believes about it, held to for every version.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ClaudeContractTests {
    @Test func `one text turn is one request and one answer`() async throws {
        try await AgentStage.run { stage in
            let run = try await stage.run("standin: say All done.")
            #expect(run.outcome.state == .succeeded, "\(run.outcome)")
            #expect(run.answer == "All done.\n")
            #expect(run.requests.count == 1)
            #expect(run.outcome.result.exitCode == 0)
            #expect(run.outcome.result.turns == 1)
            #expect(run.outcome.result.agentVersion == ClaudeExecutable.testedVersion)
            #expect(run.outcome.result.inputTokens ?? 0 > 1_000)
            #expect(run.outcome.result.outputTokens ?? 0 > 0)
            #expect(run.outcome.result.costMicroUSD != nil)
            #expect(run.outcome.result.durationMilliseconds ?? 0 > 0)
            #expect(run.outcome.result.model?.isEmpty == false)
            #expect(run.outcome.result.agentSession?.count == 36)
            #expect(!run.lines(containing: #""type":"text_delta""#).isEmpty)
        }
    }

    @Test func `a contained agent runs, writes and reads`() async throws {
        try await AgentStage.run { stage in
            let run = try await stage.run(
                """
                standin: bash X=$(printf made); mkdir -p .claude && echo $X by bash > bash.txt; rm -rf gone; env
                standin: write notes.txt hello there
                standin: read notes.txt
                standin: say finished
                """
            )
            #expect(run.outcome.state == .succeeded, "\(run.outcome)")
            #expect(run.answer == "finished\n")
            #expect(try stage.text(of: "bash.txt") == "made by bash\n")
            #expect(try stage.text(of: "notes.txt") == "hello there")
            #expect(run.lines(containing: #""type":"tool_result""#).contains { $0.contains("hello there") })
            #expect(run.requests.count == 4)
        }
    }

    @Test(arguments: [
        (529, JobReason.agentFailed), (500, .agentFailed), (401, .authFailed), (403, .authFailed),
        (429, .waitingForQuota), (400, .agentFailed),
    ])
    func `an error of the model API is a failure with its reason`(status: Int, reason: JobReason) async throws {
        try await AgentStage.run { stage in
            let run = try await stage.run("standin: error \(status)")
            #expect(run.outcome.state == .failed)
            #expect(run.outcome.reason == reason, "\(run.outcome)")
            #expect(run.outcome.reasonText?.isEmpty == false)
            #expect(run.answer == "")
        }
    }

    @Test func `the limit on turns ends a run with its name`() async throws {
        try await AgentStage.run { stage in
            let run = try await stage.run("standin: bash true\nstandin: bash true\nstandin: say no", maxTurns: 1)
            #expect(run.outcome.state == .failed)
            #expect(run.outcome.reason == .limitReached, "\(run.outcome)")
        }
    }

    @Test(arguments: ["standin: sleep 60", "standin: bash echo begun > begun.txt; while :; do :; done"])
    func `an interrupt ends a thinking and a working agent`(prompt: String) async throws {
        try await AgentStage.run { stage in
            let mark = prompt.contains("bash") ? #""type":"tool_use","id""# : #""status":"requesting""#
            var isInterrupted = false
            stage.react = { line, machine in
                guard !isInterrupted, line.contains(mark),
                    line.contains(#""type":"assistant""#) || !mark.contains("tool")
                else { return [] }
                isInterrupted = true
                return machine.interrupt()
            }
            let run = try await stage.run(prompt)
            #expect(isInterrupted)
            #expect(run.outcome.state == .cancelled, "\(run.outcome)")
            #expect(run.outcome.reason == .cancelledByUser)
        }
    }

    @Test(arguments: ["/compact", "/help me", "@secret.txt", "!touch pwned", "#memory"])
    func `a prompt that looks like a command is plain text`(prompt: String) async throws {
        try await AgentStage.run { stage in
            try stage.put("secret.txt", "canary-in-a-file")
            let run = try await stage.run(prompt)
            #expect(run.outcome.state == .succeeded, "\(run.outcome)")
            #expect(run.answer.contains("model stand-in"))
            #expect(run.requests.count == 1)
            #expect(run.requests.first?.contains("\"text\":\"\(prompt)\"") == true)
            #expect(run.requests.first?.contains("canary-in-a-file") == false)
            #expect(try stage.text(of: "pwned") == nil)
        }
    }

    @Test func `a dropped stream is asked for again and the run succeeds`() async throws {
        try await AgentStage.run { stage in
            let run = try await stage.run("standin: cut")
            #expect(run.outcome.state == .succeeded, "\(run.outcome)")
            #expect(run.answer.contains("was cut"))
            #expect(run.requests.count > 1)
        }
    }

    @Test func `a helper agent works within the run and its work counts`() async throws {
        try await AgentStage.run { stage in
            let run = try await stage.run(
                """
                standin: tool Agent {"description":"d","prompt":"standin: bash echo sub > sub.txt","subagent_type":"general-purpose"}
                standin: say all together
                """
            )
            #expect(run.outcome.state == .succeeded, "\(run.outcome)")
            #expect(run.answer == "all together\n")
            #expect(try stage.text(of: "sub.txt") == "sub\n")
        }
    }

    @Test func `through the broker the key is added outside and never seen inside`() async throws {
        try await AgentStage.run(throughBroker: true) { stage in
            let run = try await stage.run(
                """
                standin: bash env; tr '\\0' '\\n' < /proc/$PPID/environ; tr '\\0' ' ' < /proc/$PPID/cmdline; ls -R ~ /tmp/claude* | head -50
                standin: stream 200
                """
            )
            #expect(run.outcome.state == .succeeded, "\(run.outcome)")
            #expect(run.answer.hasSuffix("199 200 \n"))
            #expect(run.lines(containing: "ANTHROPIC_API_KEY=attempt-token").count >= 1)
            #expect(!run.records.contains { $0.text.contains(AgentStage.key) })
            let statistics = try #require(stage.broker).statistics
            #expect(statistics.requests == 2)
            #expect(statistics.refusals == 0)
            #expect(statistics.inputTokens == run.outcome.result.inputTokens)
            #expect(statistics.outputTokens == run.outcome.result.outputTokens)
        }
    }
}
