import Glibc
import Operations
package import Platform

/// `errand down`: stops an `errand up` in good order and waits for its end.
package struct Down: Verb {
    package static let words = ["down"]
    package static let usage = "[--data DIR]"
    package static let summary = "Stop the `errand up` of a data directory."
    package static let options = [Option("--data", "DIR", "its data directory (default: ERRAND_DATA)")]

    /// More than the longest grace of a service that has to be stopped, twice.
    private static let patience = Duration.seconds(120)

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let directory = try arguments.value("--data") ?? Configuration.load().dataDirectory
        let running = try await RunningInstallation.find(directory)
        guard kill(running.pid, SIGTERM) == 0 else {
            throw CommandFailure("process \(running.pid) cannot be stopped: run this as the user who started it")
        }
        let end = loop.now.advanced(by: Down.patience)
        var hasSpoken = false
        while kill(running.pid, 0) == 0 {
            guard loop.now < end else { throw CommandFailure("process \(running.pid) has not ended after two minutes") }
            if !hasSpoken, end - loop.now < Down.patience - .seconds(1) {
                terminal.note("waiting for process \(running.pid) to end")
                hasSpoken = true
            }
            await loop.sleep(.milliseconds(50))
        }
        terminal.note("stopped")
        return ExitCode.done
    }
}
