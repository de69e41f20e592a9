import Core
import Glibc
import HTTP
import Platform
import Transport

/// Shows a job's log live to its end, through as many connections as it takes.
final class JobFollow {
    private(set) var viewer: JobViewer

    private let job: JobID
    private let client: Client
    private let stopsWhenQuiet: Bool
    private let renewalInterval: Duration
    private var backoff = Backoff()
    /// When the stream was cut, until it is there again.
    private var cutAt: Instant?
    /// Holes in a row at one position: the server leaves something out.
    private var holes = 0
    private var isQuiet = false
    private var isOver = false
    private var closeReason = ""

    /// A server that stays away this long is given up; the job goes on without us.
    private static let patience = Duration.seconds(600)
    /// A log that is not followed has been shown when nothing more comes for this long.
    private static let quiet = Duration.milliseconds(700)
    private static let limits = WebSocketLimits(maximumMessage: JobEvent.maximumBytes)

    /// A follower that shows what comes after the viewer's position.
    init(
        _ job: JobID,
        _ viewer: JobViewer,
        client: Client,
        stopsWhenQuiet: Bool = false,
        renewalInterval: Duration = StreamRenewal.interval
    ) {
        self.job = job
        self.viewer = viewer
        self.client = client
        self.stopsWhenQuiet = stopsWhenQuiet
        self.renewalInterval = renewalInterval
    }

    /// Follows to the end and answers with the exit code.
    func run() async throws -> Int32 {
        defer { isOver = true }
        showWaiting()
        do {
            let code = try await follow()
            await client.output.flush()
            return code
        } catch {
            // What arrived before the failure is shown before it.
            await client.output.flush()
            throw error
        }
    }

    private func follow() async throws -> Int32 {
        while true {
            let before = viewer.position
            let reason: String
            do {
                switch try await readOnce() {
                case .finished: return viewer.exitCode
                case .goOn where client.output.isBroken: return 128 + SIGPIPE
                case .goOn where isQuiet: return ExitCode.done
                case .goOn: reason = closeReason
                case .reconnect(let cause):
                    holes = viewer.position == before ? holes + 1 : 1
                    guard holes < 4 else { throw CommandFailure(cause, exitCode: ExitCode.unavailable) }
                    reason = cause
                }
            } catch let problem as ServerProblem {
                guard problem.isPassing else { throw problem.failure }
                reason = problem.description
            } catch let error as HTTPClientError {
                guard viewer.facts != nil else { throw CommandFailure(error, server: client.session.server.text) }
                reason = VisibleText.line("\(error)")
            } catch let error as DisconnectedError {
                reason = VisibleText.line(error.reason)
            }
            try await pause(reason)
        }
    }

    private func pause(_ reason: String) async throws {
        let loop = client.session.loop
        if let cutAt, loop.now - cutAt > Self.patience {
            throw CommandFailure(
                "the server stays away (\(reason)); the job goes on: `errand attach \(job)`",
                exitCode: ExitCode.unavailable
            )
        }
        if cutAt == nil {
            cutAt = loop.now
            client.output.note("the stream was cut (\(reason)); coming again")
        }
        await loop.sleep(backoff.next())
    }

    private func readOnce() async throws -> JobViewer.Step {
        let (channel, token) = try await client.session.webSocket(
            "/v1/jobs/\(job)/stream?after=\(viewer.position)",
            limits: Self.limits
        )
        let renewal = StreamRenewal(channel, openedWith: token, client.session, every: renewalInterval)
        renewal.start()
        defer { renewal.stop() }
        defer { client.session.loop.spawnLocal { await channel.close(code: WebSocketCloseCode.normal, reason: "") } }
        var quiet = quietTimer(channel)
        closeReason = "the server closed the stream"
        while let message = try await channel.receive() {
            quiet?.cancel()
            guard case .text(let text) = message else { continue }
            var shown: [Rendered] = []
            let step: JobViewer.Step
            do throws(JobEventError) {
                step = try viewer.receive(Array(text.utf8), into: &shown)
            } catch {
                throw CommandFailure("\(error)", exitCode: ExitCode.unavailable)
            }
            if cutAt != nil { client.output.note("connected again") }
            cutAt = nil
            if holes == 0 { backoff.reset() }
            await client.output.put(shown)
            if step != .goOn || client.output.isBroken { return step }
            quiet = quietTimer(channel)
        }
        if channel.closeCode == StreamClosing.unauthenticated { closeReason = "the server wants a new token" }
        return .goOn
    }

    private func quietTimer(_ channel: any WebSocketChannel) -> LoopTimer? {
        guard stopsWhenQuiet else { return nil }
        let loop = client.session.loop
        return loop.schedule(after: Self.quiet) { [self] in
            isQuiet = true
            loop.spawnLocal { await channel.close(code: WebSocketCloseCode.normal, reason: "") }
        }
    }

    /// While nothing else is to be seen, says every second what is going on.
    private func showWaiting() {
        guard client.style.isNoteTerminal, viewer.showsStatus else { return }
        let loop = client.session.loop
        let start = loop.now
        loop.spawnLocal { [self] in
            while !isOver {
                await loop.sleep(.seconds(1))
                guard !isOver, viewer.isBetweenLines else { continue }
                let state = viewer.facts?.state.rawValue ?? "connecting"
                client.output.status("\(state), \(HumanText.age(loop.now - start))")
            }
        }
    }
}

/// The close codes of a stream that a client tells apart.
private enum StreamClosing {
    /// The token behind the stream has expired, or its sign-in has ended.
    static let unauthenticated: UInt16 = 4401
}
