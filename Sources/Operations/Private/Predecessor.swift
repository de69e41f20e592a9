import Glibc
import Platform

/// A server that an earlier, killed `errand up` left running on the same data.
struct Predecessor {
    let log: StructuredLog
    let loop: EventLoop

    /// Stops the process with that number when it really is the program and works in the directory.
    func stop(pid: Int32, program: String, directory: String, signals: [(number: Int32, grace: Duration)]) async throws
    {
        let isOurs = try await BlockingPool.run { Self.matches(pid: pid, program: program, directory: directory) }
        guard isOurs, let process = try ForeignProcess(pid: pid, on: loop) else { return }
        // Looked at again with the process held: the number may have changed hands in between.
        guard try await BlockingPool.run({ Self.matches(pid: pid, program: program, directory: directory) }) else {
            return
        }
        log.warning("stopping a server left by an earlier run", .text("program", program), .integer("pid", pid))
        for (number, grace) in signals {
            process.signal(number)
            if await process.wait(timeout: grace) { return }
        }
        throw ProgramError(program: program, reason: "process \(pid) still uses \(directory) and cannot be stopped")
    }

    private static func matches(pid: Int32, program: String, directory: String) -> Bool {
        guard let line = try? Files.readAll("/proc/\(pid)/cmdline", limit: 1 << 20) else { return false }
        let first = String(
            decoding: line.prefix { $0 != 0 && $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: ":") },
            as: UTF8.self
        )
        guard first.split(separator: "/").last.map(String.init) == program else { return false }
        // By identity, because a private mount shows the same directory under another path.
        guard let own = Files.identity(directory) else { return false }
        return Files.identity("/proc/\(pid)/cwd") == own
    }
}
