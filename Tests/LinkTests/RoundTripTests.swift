import Core
import Link
import Testing

@Suite struct RoundTripTests {
    @Test(arguments: Samples.workerControl)
    func `a worker's control message survives its JSON`(_ message: WorkerControlMessage) throws {
        #expect(try WorkerControlMessage(decoding: message.encoded()) == message)
    }

    @Test(arguments: Samples.apiControl)
    func `the API's control message survives its JSON`(_ message: APIControlMessage) throws {
        #expect(try APIControlMessage(decoding: message.encoded()) == message)
    }

    @Test(arguments: Samples.workerBulk)
    func `a worker's bulk message survives its frame`(_ message: WorkerBulkMessage) throws {
        #expect(try WorkerBulkMessage(decoding: message.encoded()) == message)
    }

    @Test(arguments: Samples.apiBulk)
    func `the API's bulk message survives its frame`(_ message: APIBulkMessage) throws {
        #expect(try APIBulkMessage(decoding: message.encoded()) == message)
    }

    @Test func `a granted key shows in no description`() throws {
        let endpoint = ModelEndpoint(provider: .anthropic, baseURL: "http://model", reach: .publicOnly)
        let grant = ModelGrant(endpoint: endpoint, apiKey: "sk-secret")
        #expect(!"\(grant)".contains("sk-secret"))
        #expect(!String(reflecting: Samples.agent).contains("sk-1"))
        #expect("\(grant)".contains("http://model"))
    }

    @Test func `claims are split so that each message fits a frame`() throws {
        var large = Samples.agent
        large.work = .claude(
            ClaudeSpec(prompt: String(repeating: "\u{1}", count: JobLimits.promptBytes), model: nil, maxTurns: nil)
        )
        let messages = APIControlMessage.claims([large, large, Samples.command, large])
        var seen = 0
        for message in messages {
            #expect(message.encoded().count <= LinkProtocol.controlFrameBytes)
            guard case .claimed(let jobs) = message else { continue }
            seen += jobs.count
        }
        #expect(seen == 4)
        #expect(messages.count > 1)
        #expect(APIControlMessage.claims([]).isEmpty)
    }

    @Test func `the largest command fits one frame with every byte escaped`() throws {
        let size = JobLimits.commandBytes
        let argument = String(repeating: "\u{1}", count: JobLimits.argumentBytes)
        let assignment = JobAssignment(
            attempt: Samples.attempt,
            project: Samples.project,
            workspace: .none,
            policy: .ask,
            work: .command(
                CommandSpec(
                    argv: Array(repeating: argument, count: size / JobLimits.argumentBytes),
                    environment: [:],
                    standardInput: String(repeating: "\u{1}", count: JobLimits.standardInputBytes)
                )
            ),
            timeoutSeconds: nil,
            model: nil
        )
        let message = APIControlMessage.claimed([assignment])
        #expect(try APIControlMessage(decoding: message.encoded()) == message)
    }
}
