import Glibc
package import Platform

/// Reads what a program prints, line by line.
enum LineReader {
    static func read(_ stream: ByteSocket?, _ take: (String) -> Void) async {
        guard let stream else { return }
        var rest: [UInt8] = []
        while let bytes = try? await stream.read(max: 64 << 10), !bytes.isEmpty {
            rest += bytes
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                take(String(decoding: rest[..<end], as: UTF8.self))
                rest.removeFirst(end + 1)
            }
        }
        if !rest.isEmpty { take(String(decoding: rest, as: UTF8.self)) }
        stream.close()
    }
}

/// How a program ended and what it said.
package struct ProgramOutcome: Sendable {
    /// How it ended.
    package let status: ExitStatus
    /// What it printed.
    package let output: String
    /// What it complained about.
    package let errors: String

    /// Runs a program to its end; on the loop only.
    package static func of(_ spec: ProcessSpec, on loop: EventLoop) async throws -> ProgramOutcome {
        var spec = spec
        (spec.standardOutput, spec.standardError, spec.dieWithParent) = (.pipe, .pipe, true)
        let child = try ChildProcess.spawn(spec, on: loop)
        var errors: [String] = []
        let (stream, hasEnded) = (child.stderr, LoopCondition())
        var isRead = false
        loop.spawnLocal {
            await LineReader.read(stream) { errors.append($0) }
            isRead = true
            hasEnded.signalAll()
        }
        var output: [String] = []
        await LineReader.read(child.stdout) { output.append($0) }
        while !isRead { await hasEnded.wait() }
        let status = await child.wait()
        return ProgramOutcome(
            status: status,
            output: output.joined(separator: "\n"),
            errors: errors.joined(separator: "\n")
        )
    }
}

/// A program whose lines a test reads while it runs; dies with the test's process.
package actor LineProgram {
    private nonisolated let loop: EventLoop
    private let child: ChildProcess
    private var lines: [String] = []
    private var isOver = false
    private let changed = LoopCondition()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.actor.unownedExecutor }

    init(_ spec: ProcessSpec, on loop: EventLoop) throws {
        var spec = spec
        (spec.standardOutput, spec.dieWithParent) = (.pipe, true)
        self.loop = loop
        child = try ChildProcess.spawn(spec, on: loop)
        loop.spawn { [self] in await follow() }
    }

    /// Descriptors are closed on their loop.
    isolated deinit {}

    /// The lines so far, once there are that many or the program has ended.
    package func lines(atLeast count: Int) async -> [String] {
        loop.requireOnLoop()
        while lines.count < count, !isOver { await changed.wait() }
        return lines
    }

    /// Ends the program as a crash would.
    package func kill() async {
        loop.requireOnLoop()
        child.signal(SIGKILL)
        _ = await child.wait()
    }

    private func follow() async {
        loop.requireOnLoop()
        await LineReader.read(child.stdout) { line in
            lines.append(line)
            changed.signalAll()
        }
        isOver = true
        changed.signalAll()
    }
}
