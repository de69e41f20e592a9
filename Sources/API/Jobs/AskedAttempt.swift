import Core
import HTTP

extension QueryReader {
    /// The attempt of a job that `attempt` asks for; the newest unless given.
    func attempt(of job: Job) throws(ProblemError) -> AttemptID {
        guard let text = value("attempt") else { return AttemptID(job: job.id, attempt: job.attempt) }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int32(text), number >= 1 else {
            throw ProblemError(.malformedParameter("attempt", "must be an integer from 1"))
        }
        guard Int(number) <= job.attempt else { throw ProblemError(.attemptMissing(of: job)) }
        return AttemptID(job: job.id, attempt: Int(number))
    }
}

extension LogPosition {
    /// Refuses a position in an attempt that the job has not had; nothing would ever come after it.
    func require(in job: Job) throws(ProblemError) {
        // Before the first record of a job that waits is where everybody begins.
        guard attempt <= max(job.attempt, seq == 0 ? 1 : 0) else { throw ProblemError(.attemptMissing(of: job)) }
    }
}
