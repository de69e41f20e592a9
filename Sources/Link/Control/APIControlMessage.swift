package import Core

/// How far an attempt's log is durable at the API.
package struct ResumePoint: Sendable, Equatable {
    package var attempt: AttemptID
    /// The last durable seq; the worker sends from the next one.
    package var durable: UInt64

    /// Names a point.
    package init(attempt: AttemptID, durable: UInt64) {
        self.attempt = attempt
        self.durable = durable
    }
}

/// The API's answer to `hello`.
package struct WelcomeMessage: Sendable, Equatable {
    /// The lease of this session; it differs from the resumed one when that is no longer current.
    package var lease: WorkerLease
    /// How long a lease lives after a beat.
    package var timeToLiveMilliseconds: Int
    package var heartbeatMilliseconds: Int
    /// For each attempt of `hello` that this worker still owns: where its log goes on.
    package var resume: [ResumePoint]
    /// Attempts of `hello` that were cancelled meanwhile.
    package var cancelled: [AttemptID]
    /// Attempts of `hello` that this worker no longer owns: to be killed and discarded.
    package var stale: [AttemptID]

    /// Makes an answer.
    package init(
        lease: WorkerLease,
        timeToLiveMilliseconds: Int,
        heartbeatMilliseconds: Int,
        resume: [ResumePoint],
        cancelled: [AttemptID],
        stale: [AttemptID]
    ) {
        self.lease = lease
        self.timeToLiveMilliseconds = timeToLiveMilliseconds
        self.heartbeatMilliseconds = heartbeatMilliseconds
        self.resume = resume
        self.cancelled = cancelled
        self.stale = stale
    }
}

/// The API's answer to one reported end.
package enum FinishVerdict: String, Sendable, CaseIterable {
    /// Committed, now or before.
    case accepted
    /// Another attempt owns the job: discard everything.
    case stale
}

/// One acknowledged end.
package struct FinishAnswer: Sendable, Equatable {
    package var attempt: AttemptID
    package var verdict: FinishVerdict

    /// Pairs an attempt with its verdict.
    package init(attempt: AttemptID, verdict: FinishVerdict) {
        self.attempt = attempt
        self.verdict = verdict
    }
}

/// Which way a workspace goes.
package enum WorkspaceDirection: String, Sendable, CaseIterable {
    /// Into the worker.
    case push
    /// Out of the worker.
    case pull
}

/// A wish to move a project's workspace; the bytes follow on the bulk socket under the transfer's number.
///
/// The receiver of the bytes grants `transferCredit` when it is ready; until then no chunk may be sent.
package struct WorkspaceRequest: Sendable, Equatable {
    /// Chosen by the API, unique within the session.
    package var transfer: UInt64
    package var project: ProjectID
    package var direction: WorkspaceDirection

    /// Makes a request.
    package init(transfer: UInt64, project: ProjectID, direction: WorkspaceDirection) {
        self.transfer = transfer
        self.project = project
        self.direction = direction
    }
}

/// Why the API ends a session.
package enum GoodbyeReason: String, Sendable, CaseIterable {
    /// This replica shuts down: connect again, resuming.
    case draining
    /// The epoch is no longer current: kill everything, connect again as new.
    case leaseLost = "lease_lost"
    /// The worker was revoked: kill everything and stop.
    case revoked
}

/// What the API says on the control socket.
package enum APIControlMessage: Sendable, Equatable {
    /// The answer to `hello`.
    case welcome(WelcomeMessage)
    /// Jobs to run, never more than the standing request leaves free.
    case claimed([JobAssignment])
    /// The lease was renewed when beat `serial` came.
    case beatAck(serial: UInt64, cancelled: [AttemptID], stale: [AttemptID])
    /// Ends that are committed, or refused for good.
    case finished([FinishAnswer])
    /// A person asked that this job end.
    case cancel(JobID)
    /// A workspace is to be moved.
    case workspace(WorkspaceRequest)
    /// Workspaces whose projects are no more are to be removed; asked again until `removed` comes.
    case remove([ProjectID])
    /// The last message of a socket.
    case goodbye(GoodbyeReason)

    /// Splits claimed jobs into messages that each fit a control frame.
    package static func claims(_ jobs: [JobAssignment]) -> [APIControlMessage] {
        var messages: [APIControlMessage] = []
        var batch: [JobAssignment] = []
        var size = 0
        for job in jobs {
            let own = job.sizeBound
            if !batch.isEmpty, size + own > LinkProtocol.controlFrameBytes || batch.count == LinkProtocol.attempts {
                messages.append(.claimed(batch))
                batch = []
                size = 0
            }
            batch.append(job)
            size += own
        }
        return batch.isEmpty ? messages : messages + [.claimed(batch)]
    }
}

extension JobAssignment {
    /// No fewer bytes than the JSON of this assignment takes: every byte of text may be escaped to six.
    fileprivate var sizeBound: Int {
        let texts =
            switch work {
            case .claude(let spec): spec.prompt.utf8.count + (spec.model?.utf8.count ?? 0)
            case .command(let spec):
                spec.argv.reduce(0) { $0 + $1.utf8.count + 1 }
                    + spec.environment.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 1 }
                    + (spec.standardInput?.utf8.count ?? 0)
            }
        let grant = (model?.endpoint.baseURL.utf8.count ?? 0) + (model?.apiKey.utf8.count ?? 0)
        return 512 + 6 * (texts + grant)
    }
}
