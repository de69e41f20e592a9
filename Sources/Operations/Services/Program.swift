package import Platform

/// What a finished program said.
package struct ProgramResult: Sendable {
    /// How it ended.
    package let status: ExitStatus
    /// Its output.
    package let output: String
    /// Its diagnostics.
    package let diagnostics: String
}

/// A program that could not be found, started, or did not succeed.
package struct ProgramError: Error, CustomStringConvertible {
    /// The program.
    package let program: String
    /// What went wrong, with the program's own words.
    package let reason: String

    /// Names the program and the reason.
    package var description: String { "\(program): \(reason)" }
}

/// Runs helper programs to their end without blocking the loop.
package enum Program {
    /// Output kept per stream; what comes after is read and forgotten.
    private static let outputLimit = 1 << 20

    /// The program file of that name on the search path or in further directories.
    package static func find(_ name: String, also directories: [String] = []) -> String? {
        let path = ProcessEnvironment.variables()["PATH"] ?? ""
        // The administrator's directories are often missing from a user's path.
        let standard = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        for directory in directories + path.split(separator: ":").map(String.init) + standard {
            let candidate = "\(directory)/\(name)"
            // The path of a directory on PATH may be relative: such a program depends on where we stand.
            guard directory.hasPrefix("/"), Files.isExecutable(candidate) else { continue }
            return candidate
        }
        return nil
    }

    /// Runs a program with its streams piped; it is killed when the time is over.
    package static func run(
        _ spec: ProcessSpec,
        input: [UInt8] = [],
        timeout: Duration = .seconds(60),
        on loop: EventLoop
    ) async throws -> ProgramResult {
        var spec = spec
        (spec.standardInput, spec.standardOutput, spec.standardError) = (.pipe, .pipe, .pipe)
        spec.dieWithParent = true
        let child = try ChildProcess.spawn(spec, on: loop)
        let output = StreamCapture(limit: outputLimit)
        let diagnostics = StreamCapture(limit: outputLimit)
        output.follow(child.stdout, on: loop)
        diagnostics.follow(child.stderr, on: loop)
        if let stdin = child.stdin {
            loop.spawnLocal {
                // A program that does not read its input ends by itself; its status tells.
                try? await stdin.write(input)
                stdin.close()
            }
        }
        guard let status = await child.wait(timeout: timeout) else {
            child.signal(9)
            _ = await child.wait()
            output.abandon()
            diagnostics.abandon()
            throw ProgramError(program: spec.path, reason: "no end after \(timeout)")
        }
        // A grandchild may keep the pipes open for ever: what the program itself wrote is there by now.
        await output.finish(within: .seconds(1), on: loop)
        await diagnostics.finish(within: .seconds(1), on: loop)
        return ProgramResult(status: status, output: output.text, diagnostics: diagnostics.text)
    }

    /// Runs a program that must succeed, and gives its output.
    package static func require(
        _ spec: ProcessSpec,
        input: [UInt8] = [],
        timeout: Duration = .seconds(60),
        on loop: EventLoop
    ) async throws -> String {
        let result = try await run(spec, input: input, timeout: timeout, on: loop)
        guard result.status.isSuccess else {
            let words = result.diagnostics.isEmpty ? result.output : result.diagnostics
            throw ProgramError(program: spec.path, reason: "\(result.status): \(words.prefix(2000))")
        }
        return result.output
    }
}

/// Collects a stream up to a limit.
private final class StreamCapture {
    private let limit: Int
    private var bytes: [UInt8] = []
    private var stream: ByteSocket?
    private let ended = LoopCondition()

    init(limit: Int) {
        self.limit = limit
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    func follow(_ stream: ByteSocket?, on loop: EventLoop) {
        self.stream = stream
        loop.spawnLocal { [self] in
            while let part = try? await stream?.read(max: 64 * 1024), !part.isEmpty {
                bytes += part.prefix(limit - bytes.count)
            }
            abandon()
        }
    }

    func finish(within time: Duration, on loop: EventLoop) async {
        if stream != nil { _ = await ended.wait(timeout: time, on: loop) }
        abandon()
    }

    func abandon() {
        stream?.close()
        stream = nil
        ended.signalAll()
    }
}
