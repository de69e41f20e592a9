import Glibc
package import Platform

/// The Claude Code CLI as it is installed on this machine.
package struct ClaudeExecutable: Sendable, Equatable {
    /// The version that the contract tests were last run against.
    package static let testedVersion = "2.1.329"
    /// The variable that names the CLI's file.
    package static let variable = "ERRAND_AGENT_PATH"
    /// `--version` takes 0.04 s; a cold disk a few seconds.
    private static let versionLimit = Duration.seconds(20)
    private static let outputLimit = 4_096

    /// The file, absolute.
    package let path: String
    /// What the CLI says its version is, such as `2.1.329`.
    package let version: String

    /// Where to look: at the named file alone when there is one, else for `claude` along `PATH`.
    package static func candidates(named: String?, searchPath: String?) -> [String] {
        if let named, !named.isEmpty { return [named] }
        return (searchPath ?? "").split(separator: ":").filter { $0.hasPrefix("/") }.map { "\($0)/claude" }
    }

    /// The first of `paths` that leads to an executable file, with every link followed.
    package static func locate(_ paths: [String]) throws(AgentMissing) -> String {
        for path in paths where path.hasPrefix("/") {
            guard let file = resolve(path), let status = try? Files.status(file), status.isRegularFile,
                status.mode & 0o111 != 0
            else { continue }
            return file
        }
        let places = paths.isEmpty ? "no place to look at" : paths.joined(separator: ", ")
        throw AgentMissing("there is no executable file at \(places); set \(variable) to the CLI's absolute path")
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Asks the file at `path` for its version, and so whether it runs at all.
    package static func inspect(_ path: String, on loop: EventLoop) async throws(AgentMissing) -> ClaudeExecutable {
        // Without a search path a script that needs an interpreter fails here rather than in the sandbox.
        var spec = ProcessSpec(path: path, arguments: [path, "--version"])
        spec.standardOutput = .pipe
        do throws(PlatformError) {
            let child = try ChildProcess.spawn(spec, on: loop)
            let alarm = loop.schedule(after: versionLimit) { child.signal(SIGKILL) }
            defer { alarm.cancel() }
            var output: [UInt8] = []
            while let stdout = child.stdout, output.count < outputLimit {
                let piece = try await stdout.read(max: outputLimit)
                if piece.isEmpty { break }
                output += piece
            }
            let status = await child.wait()
            guard status.isSuccess, let version = version(in: output) else {
                throw PlatformError(stage: "--version answered \(status)", errno: ENOEXEC)
            }
            return ClaudeExecutable(path: path, version: version)
        } catch {
            throw AgentMissing("\(path) is not a working Claude Code CLI: \(error)")
        }
    }

    /// The version in `2.1.329 (Claude Code)`.
    static func version(in output: [UInt8]) -> String? {
        let words = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.dropFirst() == ["(Claude", "Code)"], let version = words.first else { return nil }
        let numbers = version.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, numbers.allSatisfy({ UInt32($0) != nil }) else { return nil }
        return String(version)
    }
}

/// Why no agent can be run on this machine.
package struct AgentMissing: Error, Equatable, CustomStringConvertible {
    /// What was looked for and not found, for the operator.
    package let description: String

    init(_ description: String) { self.description = description }
}
