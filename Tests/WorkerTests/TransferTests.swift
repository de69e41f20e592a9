import Agents
import Core
import Link
import Platform
import Testing

@testable import Worker

/// Plays `sh`, `tar` and `rm` of a transfer.
private func play(_ process: FakeProcess, archive: [UInt8] = [], tarExit: Int32 = 0) {
    let arguments = process.program.arguments
    switch arguments.first {
    case "sh" where arguments.contains { $0.contains("--create") }:
        for start in stride(from: 0, to: archive.count, by: 10_000) {
            let piece = archive[start..<min(start + 10_000, archive.count)]
            process.print(String(decoding: piece, as: UTF8.self))
        }
        if tarExit != 0 { process.complain("tar: disk on fire\n") }
        process.end(.exited(tarExit))
    case "sh": process.onInputClosed = { process.end(.exited(0)) }
    default: process.end(.exited(0))
    }
}

private func request(_ direction: WorkspaceDirection) -> APIControlMessage {
    .workspace(WorkspaceRequest(transfer: 7, project: Names.project, direction: direction))
}

@Suite struct TransferTests {
    @Test func `a pushed archive is staged whole and then unpacked`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { play($0) }
            try await bench.link()
            var archive = TarArchive()
            archive.add("a", contents: Array("hello".utf8))
            await bench.api.say(request(.push))
            try await bench.until("credit") { bench.api.transferCredit == LinkProtocol.transferWindow }
            await bench.api.sayBulk(.chunk(transfer: 7, Array(archive.ended.prefix(700))))
            await bench.api.sayBulk(.chunk(transfer: 7, Array(archive.ended.dropFirst(700))))
            await bench.api.sayBulk(.end(transfer: 7, error: nil))
            try await bench.until("done") { bench.api.transfers[7] != nil }
            #expect(bench.api.transfers[7] == .done(bytes: UInt64(archive.ended.count), entries: 1))
            let programs = bench.sandboxes.processes
            #expect(programs.map { $0.program.arguments.first } == ["sh", "tar", "rm"])
            #expect(programs.first?.input == archive.ended)
            #expect(
                bench.sandboxes.opened.first?.workspace
                    == .project(try #require(bench.sandboxes.prepared.first), readOnly: false)
            )
            #expect(bench.sandboxes.opened.first?.isDestroyed == true)
            try await bench.stop()
        }
    }

    @Test func `a refused archive is named, never unpacked, and the workspace is free again`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { play($0) }
            try await bench.link()
            var archive = TarArchive()
            archive.add("../x")
            await bench.api.say(request(.push))
            try await bench.until("credit") { bench.api.transferCredit > 0 }
            await bench.api.sayBulk(.chunk(transfer: 7, archive.ended))
            try await bench.until("done") { bench.api.transfers[7] != nil }
            guard case .failed(.refused, let text) = bench.api.transfers[7] else { throw Unexpected("not refused") }
            #expect(text.contains("../x"))
            #expect(!bench.sandboxes.processes.contains { $0.program.arguments.first == "tar" })
            #expect(bench.sandboxes.processes.last?.program.arguments.first == "rm")
            await bench.api.say(request(.push))
            try await bench.until("credit again") { bench.api.transferCredit == 2 * LinkProtocol.transferWindow }
            await bench.api.sayBulk(.end(transfer: 7, error: "the client went away"))
            try await bench.until("cancelled") {
                bench.api.transfers[7] == .failed(.cancelled, text: "the client went away")
            }
            try await bench.stop()
        }
    }

    @Test(arguments: [
        ("tar: a: Cannot open: File exists\n", WorkspaceFailure.entryFailed),
        ("tar: a: Cannot write: No space left on device\n", .failed),
    ])
    func `what cannot be unpacked is the archive's fault, unless the machine is to blame`(
        complaint: String,
        failure: WorkspaceFailure
    ) async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { process in
                guard process.program.arguments.contains("--extract") else { return play(process) }
                process.complain(complaint)
                process.end(.exited(2))
            }
            try await bench.link()
            var archive = TarArchive()
            archive.add("a", contents: [1])
            await bench.api.say(request(.push))
            try await bench.until("credit") { bench.api.transferCredit > 0 }
            await bench.api.sayBulk(.chunk(transfer: 7, archive.ended))
            await bench.api.sayBulk(.end(transfer: 7, error: nil))
            try await bench.until("done") { bench.api.transfers[7] != nil }
            guard case .failed(failure, _) = bench.api.transfers[7] else { throw Unexpected("no \(failure)") }
            #expect(bench.sandboxes.processes.last?.program.arguments.first == "rm")
            try await bench.stop()
        }
    }

    @Test func `a workspace in use is busy`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { _ in }
            try await bench.link()
            await bench.api.give(Assignments.command(workspace: .project))
            try await bench.until("running") { bench.api.started.count == 1 }
            await bench.api.say(request(.pull))
            try await bench.until("answered") { bench.api.transfers[7] != nil }
            guard case .failed(.busy, _) = bench.api.transfers[7] else { throw Unexpected("not busy") }
            try await bench.stop()
        }
    }

    @Test func `workspaces of projects that are no more are removed, one in use when asked again`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { _ in }
            try await bench.link()
            let gone = ProjectID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0099)
            await bench.api.give(Assignments.command(workspace: .project))
            try await bench.until("running") { !bench.sandboxes.processes.isEmpty }
            await bench.api.say(.remove([Names.project, gone]))
            try await bench.until("removed") { bench.api.removed == [gone] }
            bench.sandboxes.processes.first?.end(.exited(0))
            try await bench.until("ended") { bench.api.ends.count == 1 }
            await bench.api.say(.remove([Names.project]))
            try await bench.until("removed") { bench.api.removed == [gone, Names.project] }
            #expect(bench.sandboxes.removed == [gone, Names.project])
            try await bench.stop()
        }
    }

    @Test func `a pulled workspace arrives whole as credit allows`() async throws {
        try await onLoopWithDirectory { loop, path in
            let archive = [UInt8](repeating: 65, count: 300_000)
            let bench = try ServiceBench(loop, path) { play($0, archive: archive) }
            try await bench.link()
            // The sockets are apart: credit may overtake the request.
            await bench.api.sayBulk(.transferCredit(transfer: 7, bytes: 15_000))
            await loop.sleep(.milliseconds(20))
            await bench.api.say(request(.pull))
            try await bench.until("some") { bench.api.chunks.count == 20_000 }
            await loop.sleep(.milliseconds(20))
            #expect(bench.api.chunks.count == 20_000)
            await bench.api.sayBulk(.transferCredit(transfer: 7, bytes: 1 << 20))
            try await bench.until("end") { bench.api.chunksEnd != nil }
            #expect(bench.api.chunks == archive)
            #expect(bench.api.chunksEnd == .some(nil))
            #expect(bench.api.transfers.isEmpty)
            try await bench.stop()
        }
    }

    @Test func `a pull that fails under way ends its bytes with the reason`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { play($0, archive: [65], tarExit: 2) }
            try await bench.link()
            await bench.api.say(request(.pull))
            await bench.api.sayBulk(.transferCredit(transfer: 7, bytes: 1 << 20))
            try await bench.until("end") { bench.api.chunksEnd != nil }
            #expect(bench.api.chunksEnd == .some("tar exited with 2: tar: disk on fire"))
            try await bench.stop()
        }
    }

    @Test func `a cut link ends the transfer and frees the workspace`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try ServiceBench(loop, path) { play($0) }
            try await bench.link()
            await bench.api.say(request(.push))
            try await bench.until("credit") { bench.api.transferCredit > 0 }
            bench.api.control?.cut()
            bench.api.bulk?.cut()
            try await bench.until("ended") { bench.sandboxes.opened.first?.isDestroyed == true }
            try await bench.until("linked again") { bench.api.hellos.count == 2 && bench.api.hasBulk }
            await bench.api.say(request(.push))
            try await bench.until("credit again") { bench.api.transferCredit == 2 * LinkProtocol.transferWindow }
            try await bench.stop()
        }
    }
}
