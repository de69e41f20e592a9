import Core

/// How long each step of an attempt's end may take.
struct AttemptTimes: Sendable {
    /// An agent that was asked to stop writes its last words; the CLI takes two seconds.
    var interruptGrace = Duration.seconds(5)
    /// A program that was told to terminate cleans up.
    var terminateGrace = Duration.seconds(5)
    /// After everything in the sandbox was killed, pipes end at once; longer means that something is wrong.
    var drainLimit = Duration.seconds(10)
    /// How often an agent's machine looks at the clock.
    var tick = Duration.seconds(1)

    /// The times of a real worker.
    init() {}
}

/// Why an attempt is ended from outside.
enum AttemptStop: Sendable, Equatable {
    case cancelled
    case timedOut(seconds: Int)
    /// The agent's machine asked for it; the reason is nil when only the exit is late.
    case agent(JobReason?, String)
    case spoolFull
    /// It wrote more than an attempt may.
    case outputLimit
    case spoolBroken(String)
    /// The lease may have ended: another worker may run the job.
    case fenced
    /// This worker shuts down.
    case shutdown
    /// What makes sandboxes is gone, and every sandbox with it.
    case sandboxGone
    /// Another attempt owns the job: nothing is reported.
    case stale

    /// The reason the outcome is judged by.
    var reason: JobReason? {
        switch self {
        case .cancelled: .cancelledByUser
        case .timedOut: .timeout
        case .agent(let reason, _): reason
        case .spoolFull: .spoolFull
        case .outputLimit: .limitReached
        case .spoolBroken: .internalError
        case .fenced, .shutdown, .sandboxGone, .stale: .workerLost
        }
    }

    /// What the log says about it.
    var note: String {
        switch self {
        case .cancelled: "The job was cancelled."
        case .timedOut(let seconds): "The job ran longer than its \(seconds) seconds."
        case .agent(_, let text): text
        case .spoolFull: "The worker has no space left for the job's output."
        case .outputLimit: "The job wrote more than an attempt may (ERRAND_JOB_OUTPUT_BYTES of its worker)."
        case .spoolBroken(let text): "The worker cannot keep the job's output: \(text)."
        case .fenced: "The worker lost its connection for too long and gave the job up."
        case .shutdown: "The worker was shut down."
        case .sandboxGone: "The worker's sandbox server ended."
        case .stale: "Another attempt owns the job."
        }
    }

    /// True when nothing is gained by asking politely.
    var isImmediate: Bool {
        switch self {
        case .cancelled, .timedOut, .agent, .shutdown: false
        case .spoolFull, .outputLimit, .spoolBroken, .fenced, .sandboxGone, .stale: true
        }
    }

    /// True when a job that was not begun goes back to the queue.
    var givesBack: Bool { self == .shutdown || self == .sandboxGone }
}
