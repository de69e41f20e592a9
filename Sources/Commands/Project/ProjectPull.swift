import Bytes
import Crypto
import Glibc
import HTTP
package import Platform
import Transport

/// `errand pull`: fetches a project's workspace into a directory.
package struct ProjectPull: Verb {
    package static let words = ["pull"]
    package static let usage = "[DIR] [--project PROJECT] [--force]"
    package static let summary = "Fetch a project's workspace into a new or empty directory."
    package static let signals = Interrupts.listened
    package static let options = [
        Option("--project", "PROJECT", "the project, by name or id; the default one unless given"),
        Option("--force", "unpack also into a directory that holds something, over what is there"),
    ]

    private let directory: String?
    private let project: String?
    private let isForced: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.words.count <= 1 else { throw UsageError("expected: one DIR at most") }
        directory = arguments.words.first
        project = arguments.value("--project")
        isForced = arguments.has("--force")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let interrupts = try Interrupts(on: loop)
        defer { interrupts.close() }
        let client = try await Client.open(on: loop)
        let project = try await client.project(project)
        let target = try PullTarget(directory ?? Self.directory(named: project.name))
        let place = try await target.open(isForced: isForced)
        interrupts.onFirst = {
            if place != target.path { try? Files.removeTree(place) }
            Interrupts.leave()
        }
        let progress = TransferProgress("fetching", client)
        do {
            try await fetch(project, into: place, client, progress)
            await progress.finish()
            try await target.settle(place)
        } catch {
            await progress.finish()
            let isGone = await target.abandon(place)
            let trace = isGone ? "nothing is kept" : "\(target.path) holds only a part"
            let cause = (error as? CommandFailure) ?? CommandFailure("\(error)", exitCode: ExitCode.unavailable)
            throw progress.bytes == 0
                ? cause
                : CommandFailure(
                    "the archive was cut after \(HumanText.bytes(progress.bytes)) (\(cause)): \(trace)",
                    exitCode: cause.exitCode
                )
        }
        terminal.note("fetched \(progress.text), into \(VisibleText.line(target.path))")
        return ExitCode.done
    }

    private func fetch(
        _ project: RememberedProject,
        into place: String,
        _ client: Client,
        _ progress: TransferProgress
    ) async throws {
        let answer = try await client.session.stream(.get, "/v1/projects/\(project.id)/workspace")
        let tar = try Tar.unpacking(into: place, on: client.session.loop)
        defer { tar.stop() }
        while let piece = try await answer.next() {
            progress.add(piece.count)
            try await tar.write(piece)
        }
        try await tar.finish()
    }

    /// The directory that a project's name asks for.
    private static func directory(named name: String) throws(CommandFailure) -> String {
        guard !name.hasPrefix("."), !name.contains("/"), !name.utf8.contains(0) else {
            throw CommandFailure(
                "into which directory? The project's name is not fit for one",
                exitCode: ExitCode.usage
            )
        }
        return name
    }
}

/// The directory that a workspace is unpacked into: a new one appears only when it is whole.
private struct PullTarget {
    let path: String

    init(_ path: String) throws(CommandFailure) {
        guard !path.isEmpty else { throw CommandFailure("expected: DIR", exitCode: ExitCode.usage) }
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// Where to unpack: the directory itself when it is there, else one beside it.
    func open(isForced: Bool) async throws -> String {
        let path = self.path
        let partial = "\(path).partial-\(Hex.encode(SecureRandom.bytes(4)))"
        return try await BlockingPool.run { () throws -> String in
            guard Files.exists(path) else {
                try Files.createDirectory(partial, mode: 0o755)
                return partial
            }
            guard try isForced || Files.list(path).isEmpty else {
                throw CommandFailure(
                    "\(path) is not empty: name another directory, or use --force",
                    exitCode: ExitCode.usage
                )
            }
            return path
        }
    }

    /// Gives the whole copy its name.
    func settle(_ place: String) async throws {
        let path = self.path
        guard place != path else { return }
        try await BlockingPool.run {
            guard unsafe rename(place, path) == 0 else { throw PlatformError(stage: "rename(\(path))", errno: errno) }
        }
    }

    /// Takes an unfinished copy away, unless it lies among other files; true when nothing of it is left.
    func abandon(_ place: String) async -> Bool {
        guard place != path else { return false }
        return (try? await BlockingPool.run { try Files.removeTree(place) }) != nil
    }
}
