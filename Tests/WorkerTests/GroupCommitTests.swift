import Platform
import Testing

@testable import Worker

@Suite struct GroupCommitTests {
    /// A disk that flushes when it is told to.
    private final class Disk {
        let changed = LoopCondition()
        var flushes = 0
        var permits = 0
        var failures: Set<Int> = []

        func flush() async throws {
            flushes += 1
            let number = flushes
            changed.signalAll()
            while permits < number { await changed.wait() }
            if failures.contains(number) { throw Unexpected("flush \(number)") }
        }
    }

    /// Asks for a commit and tells how it went.
    private static func ask(_ commit: GroupCommit, _ loop: EventLoop, _ done: @escaping (Bool) -> Void) {
        loop.spawnLocal {
            do {
                try await commit.commit()
                done(true)
            } catch {
                done(false)
            }
        }
    }

    @Test(arguments: [1, 2]) func `who comes while a flush is under way shares the next one`(failing: Int) async throws
    {
        try await onLoop { loop in
            let disk = Disk()
            disk.failures = [failing]
            let commit = GroupCommit { try await disk.flush() }
            var first: Bool?
            var others: [Bool] = []
            Self.ask(commit, loop) {
                first = $0
                disk.changed.signalAll()
            }
            while disk.flushes == 0 { await disk.changed.wait() }
            for _ in 0..<5 {
                Self.ask(commit, loop) {
                    others.append($0)
                    disk.changed.signalAll()
                }
            }
            disk.permits = 1
            disk.changed.signalAll()
            while first == nil || disk.flushes < 2 { await disk.changed.wait() }
            // What was written after the first flush began is not safe by its end.
            #expect(others.isEmpty)
            #expect(first == (failing != 1))
            disk.permits = 2
            disk.changed.signalAll()
            while others.count < 5 { await disk.changed.wait() }
            #expect(others.allSatisfy { $0 == (failing != 2) })
            #expect(disk.flushes == 2 && commit.begun == 2)
        }
    }
}
