import Core
import HTTP

extension Endpoints {
    /// Asks that a job end: `POST /v1/jobs/{id}/cancel`; asking again changes nothing.
    func cancelJob(_ request: HTTPRequest, _ call: JobCall) async throws -> HTTPResponse {
        let now = services.time.now
        let outcome = try await services.jobs.requestCancel(
            call.job.id,
            scope: call.principal.scope,
            now: now,
            audit: request.auditDraft(
                call.principal,
                "job.cancelled",
                team: call.job.teamID,
                target: call.job.id.description,
                at: now
            )
        )
        switch outcome {
        case nil: throw ProblemError(.missing("job"))
        case .cancelled(let job):
            services.bus.publish(BusChannel.job(job.id), [])
            return .json(200, JobView.document(job))
        case .requested(let job, let worker):
            services.bus.publish(BusChannel.worker(worker), Array(job.id.description.utf8))
            return .json(202, JobView.document(job))
        case .alreadyFinal(let job): return .json(200, JobView.document(job))
        }
    }
}
