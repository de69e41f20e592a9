import Bytes
import HTTP
package import Platform
import Transport

/// `errand push`: puts a directory's files into a project's workspace.
package struct ProjectPush: Verb {
    package static let words = ["push"]
    package static let usage = "[DIR] [--project PROJECT] [--exclude PATTERN]… [--gitignore] [--json]"
    package static let summary = "Put the files of a directory (this one unless named) into a project's workspace."
    package static let signals = Interrupts.listened
    package static let options = [
        Option("--project", "PROJECT", "the project, by name or id; the default one unless given"),
        Option("--exclude", "PATTERN", "leave out what matches, as tar does it; repeatable"),
        Option("--gitignore", "leave out what .gitignore files name"),
        Option("--json", "print what was written as a document"),
    ]

    private let directory: String
    private let project: String?
    private let patterns: [String]
    private let honoursIgnoreFiles: Bool
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.words.count <= 1 else { throw UsageError("expected: one DIR at most") }
        directory = arguments.words.first ?? "."
        project = arguments.value("--project")
        patterns = arguments.all("--exclude")
        honoursIgnoreFiles = arguments.has("--gitignore")
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let interrupts = try Interrupts(on: loop)
        defer { interrupts.close() }
        let path = directory.hasSuffix("/") ? directory + "." : directory + "/."
        guard (try? await BlockingPool.run { try Files.status(path) })??.isDirectory == true else {
            throw CommandFailure("\(VisibleText.line(directory)) is no directory", exitCode: ExitCode.usage)
        }
        let client = try await Client.open(on: loop)
        let project = try await client.project(project)
        let progress = TransferProgress("sending", client)
        let answer: [UInt8]
        do {
            answer = try await send(to: project, client, progress)
        } catch {
            await progress.finish()
            guard let failure = error as? CommandFailure, failure.exitCode == ExitCode.unavailable, progress.bytes > 0
            else { throw error }
            throw CommandFailure(
                "the archive was cut after \(HumanText.bytes(progress.bytes)) (\(failure)): push again",
                exitCode: failure.exitCode
            )
        }
        await progress.finish()
        if isJSON {
            terminal.put(answer + [UInt8(ascii: "\n")])
        } else {
            let entries = (try? JSONReader.parse(answer))?["entries"]?.integer.map { ", \($0) entries" } ?? ""
            terminal.note("sent \(progress.text)\(entries), to \(VisibleText.line(project.name))")
        }
        return ExitCode.done
    }
    private func send(
        to project: RememberedProject,
        _ client: Client,
        _ progress: TransferProgress
    ) async throws -> [UInt8] {
        let tar = try Tar.packing(
            directory,
            excluding: patterns,
            honouringIgnoreFiles: honoursIgnoreFiles,
            on: client.session.loop
        )
        defer { tar.stop() }
        let answer = try await client.session.stream(
            .put,
            "/v1/projects/\(project.id)/workspace",
            headers: [("content-type", "application/x-tar")],
            body: .stream(length: nil) {
                let piece = try await tar.next()
                progress.add(piece?.count ?? 0)
                return piece
            }
        )
        return try await answer.collect(limit: 64 << 10)
    }
}
