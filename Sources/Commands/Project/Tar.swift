import Glibc
import Platform

/// The system's tar as a child process; its complaints go to the person directly.
final class Tar {
    private let child: ChildProcess
    private static let chunk = 256 << 10

    /// Packs a directory's content; read the archive with `next`.
    static func packing(
        _ directory: String,
        excluding patterns: [String],
        honouringIgnoreFiles: Bool,
        on loop: EventLoop
    ) throws -> Tar {
        // Names and numbers of users here mean nothing there.
        var arguments = ["tar", "-C", directory, "--owner=0", "--group=0", "--numeric-owner"]
        arguments += patterns.map { "--exclude=\($0)" }
        if honouringIgnoreFiles { arguments.append("--exclude-vcs-ignores") }
        return try Tar(arguments + ["-cf", "-", "."], standardInput: .null, standardOutput: .pipe, on: loop)
    }

    /// Unpacks into a directory what is given to `write`.
    static func unpacking(into directory: String, on loop: EventLoop) throws -> Tar {
        let arguments = [
            "tar", "-C", directory, "--no-same-owner", "--no-same-permissions", "--no-overwrite-dir", "-xf", "-",
        ]
        return try Tar(arguments, standardInput: .pipe, standardOutput: .null, on: loop)
    }

    private init(_ arguments: [String], standardInput: Stdio, standardOutput: Stdio, on loop: EventLoop) throws {
        let path = ClientEnvironment.variable("PATH") ?? "/usr/bin:/bin"
        let places = path.split(separator: ":").map { "\($0)/tar" }
        guard let program = places.first(where: { unsafe access($0, X_OK) == 0 }) else {
            throw CommandFailure("there is no tar on PATH")
        }
        var spec = ProcessSpec(path: program, arguments: arguments, environment: ["PATH": path])
        spec.standardInput = standardInput
        spec.standardOutput = standardOutput
        spec.standardError = .inherit
        spec.dieWithParent = true
        child = try ChildProcess.spawn(spec, on: loop)
    }

    /// The next piece of the archive, or nil at its end; throws when tar could not pack everything.
    func next() async throws -> [UInt8]? {
        guard let output = child.stdout else { return nil }
        let piece = try await output.read(max: Self.chunk)
        if !piece.isEmpty { return piece }
        let status = await child.wait()
        // 1 means that a file changed while it was read: tar said so, and the archive is sound.
        guard status == .exited(0) || status == .exited(1) else { throw CommandFailure("tar \(Self.text(status))") }
        return nil
    }

    /// Gives tar more of the archive.
    func write(_ piece: [UInt8]) async throws {
        do {
            try await child.stdin?.write(piece)
        } catch  where error.errno == EPIPE {
            // After the end mark tar reads no padding; anything else its exit tells.
            try await finish()
        }
    }

    /// Ends the archive and waits until tar has written everything.
    func finish() async throws {
        child.stdin?.close()
        let status = await child.wait()
        guard status.isSuccess else { throw CommandFailure("tar \(Self.text(status))") }
    }

    /// Ends tar if it still runs.
    func stop() {
        child.signal(SIGTERM)
        child.stdout?.close()
        child.stdin?.close()
    }

    private static func text(_ status: ExitStatus) -> String {
        switch status {
        case .exited(let code): "failed with \(code)"
        case .signaled(let number): "was ended by signal \(number)"
        }
    }
}
