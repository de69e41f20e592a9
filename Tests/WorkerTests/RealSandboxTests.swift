import Core
import Glibc
import Link
import Platform
import Sandbox
import TestSupport
import Testing

@testable import Worker

/// A worker in memory whose programs run in real sandboxes.
private func withRealSandboxes(
    _ body: @escaping @Sendable (ServiceBench) async throws -> Void
) async throws {
    try await onLoopWithDirectory { loop, path in
        try Files.createDirectory(path + "/projects")
        let executable = SandboxServerOptions.findExecutable()
        let options = SandboxServerOptions(executable: executable, projectsRoot: path + "/projects")
        let server = try await SandboxServer.start(options, on: loop)
        let host = ServerSandboxes(server, loop: loop, tls: nil, ephemeralBytes: 64 << 20, report: { _ in })
        let bench = try ServiceBench(loop, path, host: host)
        host.whenGone { bench.service.fail(.sandbox("gone")) }
        do {
            try await bench.link()
            try await body(bench)
            try await bench.stop()
            for project in try Files.list(path + "/projects") { try await server.removeProject(project) }
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}

private func shell(_ script: String, workspace: WorkspaceMode = .none, attempt: AttemptID) -> JobAssignment {
    var assignment = Assignments.command(attempt, workspace: workspace)
    assignment.work = .command(CommandSpec(argv: ["sh", "-c", script], environment: ["A": "1"], standardInput: "in"))
    return assignment
}

extension ServiceBench {
    /// Runs a job to its acknowledged end.
    fileprivate func run(_ assignment: JobAssignment) async throws -> AttemptEnd {
        await api.give(assignment)
        try await until("ended") { self.api.ends.contains { $0.attempt == assignment.attempt } }
        return try #require(api.ends.first { $0.attempt == assignment.attempt })
    }

    /// Pushes an archive and gives the outcome.
    fileprivate func push(_ archive: [UInt8], transfer: UInt64) async throws -> WorkspaceOutcome {
        let granted = api.transferCredit
        let request = WorkspaceRequest(transfer: transfer, project: Names.project, direction: .push)
        await api.say(.workspace(request))
        try await until("credit") { self.api.transferCredit > granted }
        await api.sayBulk(.chunk(transfer: transfer, archive))
        await api.sayBulk(.end(transfer: transfer, error: nil))
        try await until("pushed") { self.api.transfers[transfer] != nil }
        return try #require(api.transfers[transfer])
    }
}

/// An archive whose entries contradict each other, and the same one without the contradiction.
private struct Misfit: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let failure: WorkspaceFailure
    let entry: String
    let words: String
    let fill: @Sendable (inout TarArchive) -> Void
    let mend: @Sendable (inout TarArchive) -> Void

    static func directory(_ name: String, in archive: inout TarArchive) {
        archive.add(name, type: "5") { $0.replaceSubrange(100..<107, with: Array("0000755".utf8)) }
    }

    static let all = [
        Misfit(
            testDescription: "a hard link to a file that is nowhere",
            failure: .entryFailed,
            entry: "h",
            words: "No such file or directory",
            fill: { $0.add("h", type: "1", target: "missing") },
            mend: {
                $0.add("missing", contents: [1])
                $0.add("h", type: "1", target: "missing")
            }
        ),
        Misfit(
            testDescription: "a file in the place of a directory that is not empty",
            failure: .entryFailed,
            entry: "d",
            words: "File exists",
            fill: {
                directory("d", in: &$0)
                $0.add("d/x", contents: [1])
                $0.add("d", contents: [1])
            },
            mend: {
                directory("d", in: &$0)
                $0.add("d/x", contents: [1])
            }
        ),
        Misfit(
            testDescription: "a file below a file",
            failure: .entryFailed,
            entry: "f/x",
            words: "Not a directory",
            fill: {
                $0.add("f", contents: [1])
                $0.add("f/x", contents: [1])
            },
            mend: { $0.add("f", contents: [1]) }
        ),
        Misfit(
            testDescription: "links in a circle",
            failure: .entryFailed,
            entry: "a/x",
            words: "Too many levels of symbolic links",
            fill: {
                $0.add("a", type: "2", target: "b")
                $0.add("b", type: "2", target: "a")
                $0.add("a/x", contents: [1])
            },
            mend: {
                $0.add("a", type: "2", target: "b")
                directory("b", in: &$0)
                $0.add("c/x", contents: [1])
            }
        ),
        Misfit(
            testDescription: "a file called by a dot",
            failure: .refused,
            entry: ".",
            words: "takes the root's place",
            fill: { $0.add(".") },
            mend: { $0.add("./", type: "5") }
        ),
        Misfit(
            testDescription: "a time that is no number",
            failure: .refused,
            entry: "f",
            words: "its modification time is malformed",
            fill: { $0.add("f") { $0[140] = UInt8(ascii: "z") } },
            mend: { $0.add("f") }
        ),
    ]
}

@Suite(.serialized) struct RealSandboxTests {
    @Test func `a command runs, reads its input, and its exit code arrives`() async throws {
        try await withRealSandboxes { bench in
            let script = "cat; echo \" $A\"; echo err >&2; exit 7"
            let end = try await bench.run(shell(script, attempt: Names.attempt(1)))
            #expect(end.result.exitCode == 7)
            #expect(bench.api.text(Names.attempt(1), .stdout) == "in 1\n")
            #expect(bench.api.text(Names.attempt(1), .stderr) == "err\n")
            #expect(bench.api.proves(end))
            var missing = Assignments.command(Names.attempt(2))
            missing.work = .command(CommandSpec(argv: ["no-such-tool"], environment: [:], standardInput: nil))
            let refused = try await bench.run(missing)
            #expect(refused.result.exitCode == 127)
            #expect(refused.reasonText?.contains("No such file") == true)
        }
    }

    @Test func `the end of the sandbox server ends the worker at once, and what ran is reported as lost`() async throws
    {
        try await onLoopWithDirectory { loop, path in
            try Files.createDirectory(path + "/projects")
            let executable = SandboxServerOptions.findExecutable()
            let options = SandboxServerOptions(executable: executable, projectsRoot: path + "/projects")
            let server = try await SandboxServer.start(options, on: loop)
            let host = ServerSandboxes(server, loop: loop, tls: nil, ephemeralBytes: 64 << 20, report: { _ in })
            let bench = try ServiceBench(loop, path, host: host)
            host.whenGone { bench.service.fail(.sandbox("gone")) }
            try await bench.link()
            await bench.api.give(shell("echo up; sleep 1000", attempt: Names.attempt))
            try await bench.until("up") { bench.api.text(Names.attempt, .stdout) == "up\n" }
            let process = ProcessTable.tree(of: getpid()).first { $0.arguments.contains(path + "/projects") }
            // The control: so far nothing has ended, and nothing is asked of the server when it goes.
            #expect(bench.outcome == nil && bench.api.ends.isEmpty)
            #expect(kill(try #require(process).pid, SIGKILL) == 0)
            try await bench.until("ended") { bench.outcome != nil }
            #expect(throws: WorkerError.self) { try bench.outcome?.get() }
            let end = try #require(bench.api.ends.first)
            #expect(bench.api.ends.count == 1)
            #expect(end.state == .failed && end.reason == .workerLost)
            #expect(bench.api.proves(end))
            #expect(bench.api.text(Names.attempt, .errand) == "The worker's sandbox server ended.\n")
            await server.stop()
        }
    }

    @Test func `what a command leaves behind neither outlives nor delays its job`() async throws {
        try await withRealSandboxes { bench in
            let script = "setsid sleep 1000 & echo done"
            let end = try await bench.run(shell(script, attempt: Names.attempt(1)))
            #expect(end.state == .succeeded)
            #expect(bench.api.text(Names.attempt(1), .stdout) == "done\n")
        }
    }

    @Test func `a command that ignores SIGTERM is ended all the same`() async throws {
        try await withRealSandboxes { bench in
            let script = "trap '' TERM; echo ready; while :; do sleep 1; done"
            await bench.api.give(shell(script, attempt: Names.attempt))
            try await bench.until("ready") { bench.api.text(Names.attempt, .stdout) == "ready\n" }
            await bench.api.say(.cancel(Names.job))
            try await bench.until("ended") { bench.api.ends.count == 1 }
            #expect(bench.api.ends.first?.state == .cancelled)
        }
    }

    @Test func `a megabyte of output arrives byte for byte`() async throws {
        try await withRealSandboxes { bench in
            let script = "head -c 3000000 /dev/urandom | tee /tmp/x | sha256sum >&2; cat /tmp/x"
            let end = try await bench.run(shell(script, attempt: Names.attempt))
            #expect(end.state == .succeeded)
            #expect(bench.api.proves(end))
            let bytes = (bench.api.logs[Names.attempt] ?? []).filter { $0.stream == .stdout }.flatMap(\.bytes)
            #expect(bytes.count == 3_000_000)
        }
    }

    @Test func `a workspace comes in, is worked in, and goes out again`() async throws {
        try await withRealSandboxes { bench in
            var archive = TarArchive()
            archive.add("./", type: "5")
            archive.add("d/", type: "5") { $0.replaceSubrange(100..<107, with: Array("0000755".utf8)) }
            archive.add("d/a.txt", contents: Array("pushed\n".utf8))
            archive.add("l", type: "2", target: "d/a.txt")
            let pushed = try await bench.push(archive.ended, transfer: 1)
            #expect(pushed == .done(bytes: UInt64(archive.ended.count), entries: 4))
            let script = "cat l && echo made > b.txt && ls -A"
            let end = try await bench.run(shell(script, workspace: .project, attempt: Names.attempt(1)))
            #expect(end.state == .succeeded)
            #expect(bench.api.text(Names.attempt(1), .stdout) == "pushed\nb.txt\nd\nl\n")
            let request = WorkspaceRequest(transfer: 2, project: Names.project, direction: .pull)
            await bench.api.say(.workspace(request))
            await bench.api.sayBulk(.transferCredit(transfer: 2, bytes: 1 << 20))
            try await bench.until("pulled") { bench.api.chunksEnd != nil }
            #expect(bench.api.chunksEnd == .some(nil))
            var reader = TarReader()
            try reader.feed(bench.api.chunks)
            try reader.finish()
            #expect(reader.entries == 5)
            #expect(reader.totalBytes == 12)
        }
    }

    @Test(arguments: Misfit.all)
    fileprivate func `an archive that does not fit is the client's fault, by its entry`(_ misfit: Misfit) async throws {
        try await withRealSandboxes { bench in
            var archive = TarArchive()
            misfit.fill(&archive)
            archive.add("other.txt", contents: [65])
            let outcome = try await bench.push(archive.ended, transfer: 1)
            guard case .failed(misfit.failure, let text) = outcome else { throw Unexpected("\(outcome)") }
            #expect(text.contains("entry \"\(misfit.entry)\"") && text.contains(misfit.words))
            let end = try await bench.run(shell("ls", workspace: .project, attempt: Names.attempt(1)))
            #expect(end.state == .succeeded)
            // What is refused as a whole has changed nothing; of the rest everything else is there.
            let listing = bench.api.text(Names.attempt(1), .stdout)
            #expect(listing.contains("other.txt") == (misfit.failure == .entryFailed))
            // The control: without the misfit the same entries go in.
            var good = TarArchive()
            misfit.mend(&good)
            guard case .done = try await bench.push(good.ended, transfer: 2) else { throw Unexpected("not mended") }
        }
    }

    @Test func `a refused archive changes nothing`() async throws {
        try await withRealSandboxes { bench in
            var good = TarArchive()
            good.add("keep.txt", contents: [65])
            _ = try await bench.push(good.ended, transfer: 1)
            var bad = TarArchive()
            bad.add("new.txt", contents: [66])
            bad.add("keep.txt", contents: [67])
            bad.add("p", type: "6")
            guard case .failed(.refused, let text) = try await bench.push(bad.ended, transfer: 2) else {
                throw Unexpected("not refused")
            }
            #expect(text.contains("FIFO"))
            let script = "ls -A; cat keep.txt"
            _ = try await bench.run(shell(script, workspace: .project, attempt: Names.attempt(1)))
            #expect(bench.api.text(Names.attempt(1), .stdout) == "keep.txt\nA")
        }
    }
}
