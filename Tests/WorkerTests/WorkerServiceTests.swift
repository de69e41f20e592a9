import Agents
import Core
import Link
import Platform
import Testing

@testable import Worker

@Suite struct WorkerServiceTests {
    @Test func `a job goes from its claim to an acknowledged end, and leaves nothing`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { process in
                process.print("hello\n")
                process.end(.exited(0))
            }
            try await bench.link()
            #expect(bench.api.claims.first?.free == 2)
            await bench.api.give(Assignments.command())
            try await bench.until("ended") { bench.api.ends.count == 1 && bench.table.held.isEmpty }
            let end = try #require(bench.api.ends.first)
            #expect(end.state == .succeeded)
            #expect(bench.api.proves(end))
            #expect(bench.api.text(Names.attempt, .stdout) == "hello\n")
            #expect(bench.api.started == [Names.attempt])
            try await bench.until("free again") { bench.api.claims.last.map { $0 == (2, 1) } ?? false }
            try await bench.until("spool gone") { (try? Files.list(path + "/spool").isEmpty) == true }
            try await bench.stop()
        }
    }

    @Test func `a worker that cannot make sandboxes takes nothing, and goes on with what runs`() async throws {
        try await onLoopWithDirectory { loop, path in
            var processes: [FakeProcess] = []
            let bench = try ServiceBench(loop, path) { processes.append($0) }
            try await bench.link()
            await bench.api.give(Assignments.command(Names.attempt(1)))
            try await bench.until("running") { processes.count == 1 }
            bench.table.isPaused = true
            try await bench.until("asks for nothing") { bench.api.claims.last?.free == 0 }
            // One that was on its way goes back.
            await bench.api.give(Assignments.command(Names.attempt(2)))
            try await bench.until("given back") { bench.api.released == [Names.attempt(2)] }
            processes[0].end(.exited(0))
            try await bench.until("ended") { bench.api.ends.count == 1 }
            #expect(processes.count == 1)
            bench.table.isPaused = false
            try await bench.until("asks again") { bench.api.claims.last?.free == 2 }
            await bench.api.give(Assignments.command(Names.attempt(3)))
            try await bench.until("runs again") { processes.count == 2 }
            processes[1].end(.exited(0))
            try await bench.stop()
        }
    }

    @Test func `many jobs share the slots and all arrive whole`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path, slots: 4) { process in
                for line in 0..<50 { process.print("line \(line)\n") }
                process.end(.exited(0))
            }
            try await bench.link()
            for number in 0..<20 {
                try await bench.until("a free slot") {
                    guard let claim = bench.api.claims.last else { return false }
                    return claim.received == UInt64(number) && claim.free > 0
                }
                await bench.api.give(Assignments.command(Names.attempt(UInt64(number))))
            }
            try await bench.until("all ended") { bench.api.ends.count == 20 }
            #expect(bench.api.ends.allSatisfy { bench.api.proves($0) && $0.state == .succeeded })
            try await bench.stop()
        }
    }

    @Test func `a job's place is on the disk for good before its program begins`() async throws {
        try await onLoopWithDirectory { loop, path in
            var flushes: [UInt64] = []
            var table: AttemptTable?
            let bench = try ServiceBench(loop, path) { process in
                flushes.append(table?.places.ended ?? 0)
                process.end(.exited(0))
            }
            table = bench.table
            try await bench.link()
            #expect(bench.table.places.ended == 0)
            await bench.api.give(Assignments.command(Names.attempt(1)))
            try await bench.until("ended") { bench.api.ends.count == 1 }
            await bench.api.give(Assignments.command(Names.attempt(2)))
            try await bench.until("both ended") { bench.api.ends.count == 2 }
            #expect(flushes == [1, 2])
            try await bench.stop()
        }
    }

    @Test func `a cut link is resumed and the log has no hole`() async throws {
        try await onLoopWithDirectory { loop, path in
            var process: FakeProcess?
            let bench = try ServiceBench(loop, path) { process = $0 }
            try await bench.link()
            await bench.api.give(Assignments.command())
            try await bench.until("running") { process != nil && bench.api.started.count == 1 }
            process?.print("one\n")
            try await bench.until("one") { bench.api.text(Names.attempt, .stdout) == "one\n" }
            bench.api.storesRecords = false
            process?.print("two\n")
            await loop.sleep(.milliseconds(50))
            bench.api.control?.cut()
            bench.api.bulk?.cut()
            process?.print("three\n")
            bench.api.storesRecords = true
            try await bench.until("linked again") { bench.api.hellos.count == 2 }
            #expect(bench.api.hellos.last?.resuming == 1)
            #expect(bench.api.hellos.last?.running == [Names.attempt])
            // What the API may not have kept is told to each new socket.
            try await bench.until("told again") { bench.api.started == [Names.attempt, Names.attempt] }
            process?.end(.exited(0))
            try await bench.until("ended") { bench.api.ends.count == 1 }
            #expect(bench.api.text(Names.attempt, .stdout) == "one\ntwo\nthree\n")
            #expect(bench.api.proves(try #require(bench.api.ends.first)))
            try await bench.stop()
        }
    }

    @Test func `records that the API misses are sent again`() async throws {
        try await onLoopWithDirectory { loop, path in
            var process: FakeProcess?
            let bench = try ServiceBench(loop, path) { process = $0 }
            try await bench.link()
            await bench.api.give(Assignments.command())
            try await bench.until("running") { process != nil }
            bench.api.storesRecords = false
            process?.print("lost\n")
            await loop.sleep(.milliseconds(50))
            bench.api.storesRecords = true
            process?.print("next\n")
            process?.end(.exited(0))
            try await bench.until("ended") { bench.api.ends.count == 1 }
            #expect(bench.api.text(Names.attempt, .stdout) == "lost\nnext\n")
            try await bench.stop()
        }
    }

    @Test func `an end is not reported before its log is stored, and the API is told that all was sent`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { process in
                process.print("x")
                process.end(.exited(0))
            }
            bench.api.storesRecords = false
            try await bench.link()
            await bench.api.give(Assignments.command())
            try await bench.until("marked") { bench.api.endMarks == 1 }
            #expect(bench.api.ends.isEmpty)
            bench.api.storesRecords = true
            await bench.api.sayBulk(.expected(Names.attempt, next: 1))
            try await bench.until("ended") { bench.api.ends.count == 1 }
            try await bench.stop()
        }
    }

    @Test func `an end without an answer is reported again on the next link`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path)
            bench.api.acceptsEnds = false
            try await bench.link()
            await bench.api.give(Assignments.command())
            try await bench.until("ended here") { bench.has { if case .ended = $0 { true } else { false } } }
            await loop.sleep(.milliseconds(20))
            #expect(bench.api.ends.isEmpty)
            bench.api.acceptsEnds = true
            bench.api.control?.cut()
            try await bench.until("reported") { bench.api.ends.count == 1 && bench.table.held.isEmpty }
            try await bench.stop()
        }
    }

    @Test func `without answered beats the jobs are killed before the lease ends`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { _ in }
            bench.api.timeToLiveMilliseconds = 600
            bench.api.heartbeatMilliseconds = 100
            try await bench.link()
            await bench.api.give(Assignments.command())
            try await bench.until("running") { bench.api.started.count == 1 }
            try await bench.until("beating") { bench.api.beats > 3 }
            #expect(!bench.has { if case .fenced = $0 { true } else { false } })
            bench.api.answersBeats = false
            bench.api.fault = .unreachable("gone")
            try await bench.until("fenced") { bench.has { if case .fenced = $0 { true } else { false } } }
            try await bench.until("killed") { bench.sandboxes.opened.allSatisfy(\.isDestroyed) }
            #expect(bench.sandboxes.processes.first?.signals == [])
            bench.api.fault = nil
            bench.api.answersBeats = true
            try await bench.until("reported") { bench.api.ends.count == 1 }
            #expect(bench.api.ends.first?.reason == .workerLost)
            try await bench.stop()
        }
    }

    @Test func `a stale attempt is killed and forgotten without a report`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { _ in }
            bench.api.heartbeatMilliseconds = 100
            try await bench.link()
            await bench.api.give(Assignments.command())
            try await bench.until("running") { bench.api.started.count == 1 }
            bench.api.disown(Names.attempt)
            try await bench.until("forgotten") { bench.table.held.isEmpty }
            #expect(bench.api.ends.isEmpty)
            #expect(bench.sandboxes.opened.first?.isDestroyed == true)
            try await bench.stop()
        }
    }

    @Test func `a cancel reaches the job`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { process in process.onSignal = { process.end(.signaled($0)) } }
            try await bench.link()
            await bench.api.give(Assignments.command())
            try await bench.until("running") { bench.api.started.count == 1 }
            await bench.api.say(.cancel(Names.job))
            try await bench.until("ended") { bench.api.ends.count == 1 }
            #expect(bench.api.ends.first?.state == .cancelled)
            try await bench.stop()
        }
    }

    @Test func `a drain lets jobs end, takes nothing new and then returns`() async throws {
        try await onLoopWithDirectory { loop, path in
            var process: FakeProcess?
            let bench = try ServiceBench(loop, path) { process = $0 }
            try await bench.link()
            await bench.api.give(Assignments.command())
            try await bench.until("running") { process != nil }
            loop.spawnLocal { await bench.service.drain(limit: .seconds(5)) }
            try await bench.until("closed") { bench.api.claims.last?.free == 0 }
            await bench.api.give(Assignments.command(Names.attempt(7)))
            try await bench.until("given back") { bench.api.released == [Names.attempt(7)] }
            process?.end(.exited(0))
            try await bench.until("over") { bench.outcome != nil }
            #expect(bench.api.ends.map(\.state) == [.succeeded])
        }
    }

    @Test func `a drain stops what does not end in time`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { _ in }
            try await bench.link()
            await bench.api.give(Assignments.command())
            try await bench.until("running") { bench.api.started.count == 1 }
            loop.spawnLocal { await bench.service.drain(limit: .milliseconds(20)) }
            try await bench.until("over") { bench.outcome != nil }
            #expect(bench.api.ends.map(\.reason) == [.workerLost])
        }
    }

    @Test(arguments: [401, 403])
    func `a refused credential ends the worker`(_ status: Int) async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path)
            bench.api.fault = .refused(status: status)
            bench.start()
            try await bench.until("over") { bench.outcome != nil }
            guard case .failure(.refused) = bench.outcome else { throw Unexpected("it went on") }
        }
    }

    @Test func `an API that is away is asked again`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path)
            bench.api.fault = .refused(status: 503)
            bench.start()
            try await bench.until("refused") { bench.has { if case .linkLost = $0 { true } else { false } } }
            bench.api.fault = nil
            try await bench.until("linked") { bench.has { if case .linked = $0 { true } else { false } } }
            try await bench.stop()
        }
    }
}
