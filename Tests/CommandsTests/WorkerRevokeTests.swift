import Bytes
import Core
import Testing

@testable import Commands

@Suite struct WorkerRevokeTests {
    private static let worker = WorkerID(at: Timestamp(milliseconds: 1_790_000_000_000))

    @Test(arguments: [
        (WorkerHoldings(name: "a", projects: 0, running: 0, waiting: 0), "It holds nothing."),
        (
            WorkerHoldings(name: "a", projects: 1, running: 1, waiting: 1),
            "1 project loses the workspace that is there, 1 job fails that waited for it, and 1 job ends there."
        ),
        (
            WorkerHoldings(name: "a", projects: 2, running: 0, waiting: 3),
            "2 projects lose the workspace that is there, 3 jobs fail that waited for it, and 0 jobs end there."
        ),
    ])
    func `the question before a worker is revoked says what is lost with it`(holdings: WorkerHoldings, loss: String) {
        let question = WorkerRevoke.question(Self.worker, holdings)
        #expect(question.hasPrefix("Revoke a (\(Self.worker))") && question.hasSuffix("? " + loss))
    }

    @Test func `a worker's name can do nothing to the terminal that asks`() {
        let holdings = WorkerHoldings(name: "\u{1B}[2J", projects: 0, running: 0, waiting: 0)
        #expect(!WorkerRevoke.question(Self.worker, holdings).utf8.contains(0x1B))
    }
}
