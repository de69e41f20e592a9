import Core
import HTTP

extension Endpoints {
    /// Asks that a job end: `POST /v1/jobs/{id}/cancel`; asking again changes nothing.
    func cancelJob(_ request: HTTPRequest, _ call: JobCall) async throws -> HTTPResponse {
        let outcome = try await services.jobs.requestCancel(
            call.job.id,
            scope: call.principal.scope,
            now: services.time.now
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
