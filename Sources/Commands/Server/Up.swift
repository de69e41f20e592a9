import Core
import Glibc
import Operations
package import Platform
import Store

/// `errand up`: everything on one machine, supervised.
package struct Up: Verb {
    package static let words = ["up"]
    package static let usage = "[--data DIR] [--listen HOST:PORT]"
    package static let summary =
        "Run everything on this machine: databases, API, one worker, the stand-in without a key."
    package static let options = [
        Option("--data", "DIR", "where everything is kept (default: ERRAND_DATA, /var/lib/errand for root)"),
        Option("--listen", "HOST:PORT", "where the API listens (default: 127.0.0.1:8443; port 0 takes a free one)"),
        Option("--check", "only say whether a running `errand up` of this directory is ready"),
    ]
    package static let signals = [SIGTERM, SIGINT, SIGHUP]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
        if let text = arguments.value("--listen"), ListenAddress(text) == nil {
            throw UsageError("--listen must be HOST:PORT, such as 127.0.0.1:8443")
        }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        var configuration = try Configuration.takeOver()
        if let directory = arguments.value("--data") { configuration.dataDirectory = try absolute(directory) }
        if let listen = arguments.value("--listen").flatMap({ ListenAddress($0) }) { configuration.listen = listen }
        if arguments.has("--check") {
            let ready = try await RunningInstallation.find(configuration.dataDirectory)
            terminal.print("ready \(ready.url)")
            return ExitCode.done
        }
        try MasterKeyFile.refuseCredential(configuration)
        let log = try StructuredLog(level: configuration.logLevel)
        let installation = Installation(configuration, log: log, loop: loop)
        let signals = try SignalStream(Up.signals, on: loop)
        let stop = LoopCondition()
        var isStopping = false
        loop.spawnLocal {
            while let signal = await signals.next() {
                guard signal == SIGHUP else { break }
                installation.reload()
            }
            isStopping = true
            installation.abandonStart()
            stop.signalAll()
        }
        do {
            try await installation.start { terminal.note("==> \($0)") }
        } catch {
            await installation.stop()
            log.close()
            if isStopping { return ExitCode.done }
            throw CommandFailure("\(error)")
        }
        for line in installation.greeting { terminal.note(line) }
        terminal.print("ready \(installation.url)")
        while !isStopping { await stop.wait() }
        terminal.note("==> stopping")
        await installation.stop()
        signals.close()
        log.close()
        return ExitCode.done
    }

    private func absolute(_ path: String) throws -> String {
        if path.hasPrefix("/") { return path }
        guard let current = unsafe getcwd(nil, 0) else { throw CommandFailure("the current directory is gone") }
        defer { unsafe free(current) }
        return unsafe String(cString: current) + "/" + path
    }
}
