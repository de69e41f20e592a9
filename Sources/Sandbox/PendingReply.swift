import Platform

/// A request whose answer has not come; loop-confined.
final class PendingReply {
    /// The descriptors that came with the answer, which the asker owns.
    struct Answer {
        var descriptors: [Int32]
    }

    private var result: Result<Answer, SandboxError>?
    private let condition = LoopCondition()

    func fulfil(_ result: Result<Answer, SandboxError>) {
        self.result = result
        condition.signalAll()
    }

    func fulfilUnlessDone(_ result: Result<Answer, SandboxError>) {
        if self.result == nil { fulfil(result) }
    }

    func answer() async throws(SandboxError) -> Answer {
        while true {
            if let result { return try result.get() }
            await condition.wait()
        }
    }

    /// The answer; nil when none came in time.
    func answer(within time: Duration, on loop: EventLoop) async throws(SandboxError) -> Answer? {
        let deadline = loop.now.advanced(by: time)
        while true {
            if let result { return try result.get() }
            guard loop.now < deadline else { return nil }
            _ = await condition.wait(timeout: deadline - loop.now, on: loop)
        }
    }
}
