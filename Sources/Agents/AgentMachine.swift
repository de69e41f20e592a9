package import Core
package import Platform

/// What the runner of an agent must do next, in the order given.
package enum AgentAction: Sendable, Equatable {
    /// Log these bytes; on `.agent` they are one whole JSON line without its newline.
    case record(LogStream, [UInt8])
    /// Write these bytes to the agent's standard input.
    case send([UInt8])
    /// Close the agent's standard input; nothing is sent afterwards.
    case closeInput
    /// Log this text on `.stdout`: what the agent answered.
    case answer(String)
    /// The work is over and only the exit is outstanding; the machine itself watches that it comes.
    case ended
    /// End the process (terminate, then kill); the reason goes into `outcome`, nil when only the exit is late.
    case stop(JobReason?, String)
}

/// How a process ended.
package enum AgentExit: Sendable, Equatable {
    case exited(Int32)
    case signaled(Int32)
}

/// What an attempt came to.
package struct AgentOutcome: Sendable, Equatable {
    package var state: JobState
    package var reason: JobReason?
    /// One sentence for a person.
    package var reasonText: String?
    package var result: JobResult

    /// Makes an outcome from its parts.
    package init(state: JobState, reason: JobReason?, reasonText: String?, result: JobResult) {
        self.state = state
        self.reason = reason
        self.reasonText = reasonText
        self.result = result
    }
}

/// A running agent as a value: bytes and time in, actions out, no descriptor and no clock.
package protocol AgentMachine: Sendable {
    /// Takes a piece of standard output.
    mutating func receive(stdout: [UInt8]) -> [AgentAction]
    /// Takes a piece of standard error.
    mutating func receive(stderr: [UInt8]) -> [AgentAction]
    /// Takes the end of standard output and standard error.
    mutating func outputEnded() -> [AgentAction]
    /// Looks at the clock; call it about once a second, first when the process was started.
    mutating func tick(now: Instant) -> [AgentAction]
    /// Asks the agent to stop politely; no action means that only a signal helps.
    mutating func interrupt() -> [AgentAction]
    /// Judges the attempt; `killedBecause` is why the runner ended it, nil when it did not or the exit was merely late.
    func outcome(exit: AgentExit, killedBecause: JobReason?) -> AgentOutcome
}
