import Core
import Testing

struct JobStateTests {
    @Test(arguments: JobState.allCases)
    func `a final state has no successor, any other leads to a final one`(state: JobState) {
        #expect(state.isFinal == state.successors.isEmpty)
        guard !state.isFinal else { return }
        var reached: Set<JobState> = [state]
        var front = [state]
        while let next = front.popLast() {
            for successor in next.successors where reached.insert(successor).inserted { front.append(successor) }
        }
        #expect(reached.contains { $0.isFinal })
        #expect(reached.contains(.cancelled))
    }

    @Test func `only a job that was claimed succeeds`() {
        #expect(JobState.allCases.filter { $0.successors.contains(.succeeded) } == [.running])
    }
}
