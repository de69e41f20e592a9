import Operations
import Platform

/// The programs as the accounts of the services can reach them.
struct StagedPrograms: Sendable {
    var errand: String
    var sandbox: String
    /// The directory with the OpenAPI document.
    var share: String
    /// The agent's CLI, when there is one.
    var agent: String?

    /// Uses the programs where they are, or copies them into the data directory when other accounts cannot go there.
    static func stage(
        in data: DataDirectory,
        _ configuration: Configuration,
        on loop: EventLoop
    ) async throws -> StagedPrograms {
        let sandbox = configuration.sandboxPath ?? SharedFiles.sandbox
        let agent = configuration.agentPath ?? Program.find("claude", also: ["\(data.root)/agent"])
        let share = "\(data.root)/share"
        try await BlockingPool.run {
            try Files.createDirectory(share, mode: 0o755)
            let document = try Files.readAll(SharedFiles.openAPI, limit: 4 << 20)
            try Files.writeAtomically("\(share)/openapi.json", document, mode: 0o644)
        }
        return StagedPrograms(
            errand: try await reachable(SharedFiles.executable, data, loop),
            sandbox: try await reachable(sandbox, data, loop),
            share: data.childPath(share),
            agent: try await reachableAgent(agent, data, loop)
        )
    }

    private static func reachableAgent(
        _ path: String?,
        _ data: DataDirectory,
        _ loop: EventLoop
    ) async throws -> String? {
        guard let path else { return nil }
        return try await reachable(path, data, loop)
    }

    private static func reachable(_ path: String, _ data: DataDirectory, _ loop: EventLoop) async throws -> String {
        guard SystemUser.isRoot else { return path }
        let real = try await BlockingPool.run { try Files.resolved(path) }
        if try await BlockingPool.run({ try isOpen(real) }) { return real }
        let name = real.split(separator: "/").last.map(String.init) ?? "program"
        let bin = "\(data.root)/bin"
        try await BlockingPool.run { try Files.createDirectory(bin, mode: 0o755) }
        let copy = ["cp", "--force", "--reflink=auto", "--", real, "\(bin)/\(name).new"]
        _ = try await Program.require(ProcessSpec(path: "/bin/cp", arguments: copy), on: loop)
        _ = try await Program.require(
            ProcessSpec(path: "/bin/chmod", arguments: ["chmod", "755", "\(bin)/\(name).new"]),
            on: loop
        )
        // A program that runs is replaced by renaming, never written over.
        _ = try await Program.require(
            ProcessSpec(path: "/bin/mv", arguments: ["mv", "--force", "\(bin)/\(name).new", "\(bin)/\(name)"]),
            on: loop
        )
        return data.childPath("\(bin)/\(name)")
    }

    /// Whether everybody may go through the directories above a file, and run it.
    private static func isOpen(_ path: String) throws -> Bool {
        var rest = Substring(path)
        while !rest.isEmpty {
            guard let status = try Files.status(String(rest)), status.mode & 1 == 1 else { return false }
            rest = rest[..<(rest.lastIndex(of: "/") ?? rest.startIndex)]
        }
        return true
    }
}
