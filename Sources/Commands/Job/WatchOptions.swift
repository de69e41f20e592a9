import Core
import Platform

/// What the verbs that watch a job have in common.
enum WatchOptions {
    static let interrupt = [
        Option("--on-interrupt", "WHAT", "at Ctrl-C: detach (default; the job goes on) or cancel the job")
    ]

    /// What Ctrl-C does to the job.
    enum OnInterrupt: String, Sendable {
        case detach, cancel
    }

    static func onInterrupt(_ arguments: Arguments) throws(UsageError) -> OnInterrupt {
        guard let text = arguments.value("--on-interrupt") else { return .detach }
        guard let choice = OnInterrupt(rawValue: text) else {
            throw UsageError("--on-interrupt must be detach or cancel")
        }
        return choice
    }

    static func job(_ text: String) throws(UsageError) -> JobID {
        guard let job = JobID(text) else {
            throw UsageError("\(VisibleText.line(text)) is not a job: expected an id like job_…, see `errand ps`")
        }
        return job
    }

    static func position(_ arguments: Arguments) throws(UsageError) -> LogPosition {
        guard let text = arguments.value("--after") else { return .start }
        guard let position = LogPosition(text) else {
            throw UsageError("--after must be ATTEMPT.SEQ, such as 1.42")
        }
        return position
    }
}

extension WatchOptions.OnInterrupt {
    /// Says what the first Ctrl-C does from now on.
    func arm(_ interrupts: Interrupts, _ job: JobID, _ client: Client, _ terminal: Terminal) {
        switch self {
        case .detach:
            interrupts.onFirst = {
                terminal.note(
                    "\nerrand: detached; the job goes on. `errand attach \(job)` shows it, `errand cancel \(job)` ends it."
                )
                Interrupts.leave()
            }
        case .cancel:
            interrupts.onFirst = {
                terminal.note("\nerrand: cancelling \(job); Ctrl-C again leaves at once")
                client.session.loop.spawnLocal {
                    do {
                        _ = try await client.session.post("/v1/jobs/\(job)/cancel", repeats: .safe)
                    } catch {
                        terminal.note("errand: the job could not be cancelled: \(error)")
                    }
                }
            }
        }
    }
}
