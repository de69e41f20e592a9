import Bytes
import Core
import Crypto
import HTTP

/// The fields that every kind of job shares.
struct JobForm {
    var project: ProjectID?
    var workspace: WorkspaceMode?
    var timeoutSeconds: Int?
    var priority: Int?
    var maxAttempts: Int?

    /// Reads the shared fields.
    init(_ fields: inout FieldReader) {
        project = fields.id("project_id", ProjectNoun.self)
        workspace = fields.choice("workspace", WorkspaceMode.self)
        timeoutSeconds = fields.integer("timeout_seconds", in: 1...JobLimits.timeoutSeconds)
        priority = fields.integer("priority", in: JobLimits.priorities)
        maxAttempts = fields.integer("max_attempts", in: 1...JobLimits.attempts)
    }
}

extension Endpoints {
    /// Stores a job durably, hints the queue, and answers 202 with the job.
    func submit(
        _ form: JobForm,
        _ work: JobWork,
        _ request: HTTPRequest,
        _ call: PersonCall
    ) async throws -> HTTPResponse {
        let key = try idempotencyKey(request)
        guard let id = form.project else { throw ProblemError(.missing("project")) }
        let project = try await project(id, for: call).project
        try await demandModel(for: work, of: call.principal, in: project.teamID)
        let now = services.time.now
        let job = Job(
            id: JobID(at: now),
            teamID: project.teamID,
            projectID: project.id,
            submittedBy: call.principal.account,
            priority: form.priority ?? JobLimits.defaultPriority,
            workspace: form.workspace ?? .project,
            policy: project.policy,
            work: work,
            maxAttempts: form.maxAttempts ?? 1,
            timeoutSeconds: form.timeoutSeconds,
            createdAt: now,
            runAt: now
        )
        let new = NewJob(
            job: job,
            idempotencyKey: key,
            requestHash: requestHash(job),
            audit: request.auditDraft(
                call.principal,
                "job.submitted",
                team: job.teamID,
                target: job.id.description,
                at: now,
                details: [
                    AuditDetail("project", job.projectID.description), AuditDetail("kind", work.kind.rawValue),
                    AuditDetail("policy", job.policy.rawValue),
                ]
            )
        )
        guard let submission = try await services.jobs.submit([new], scope: call.principal.scope).first else {
            throw ProblemError(.internalError)
        }
        switch submission {
        case .created(let stored):
            let placement = project.homeWorker.map(PlacementClass.home) ?? .anywhere
            await services.queue.push([
                JobHint(
                    job: stored.id,
                    team: stored.teamID,
                    placement: stored.workspace == .project ? placement : .anywhere,
                    priority: stored.priority,
                    runAt: stored.runAt
                )
            ])
            return accepted(stored)
        case .repeated(let stored): return accepted(stored)
        case .keyReused: throw ProblemError(.keyReused)
        case .projectGone: throw ProblemError(.missing("project"))
        case .quotaExceeded(let name):
            let wait = name == .spendPerDay ? (now.nextDay - now).wholeMilliseconds / 1_000 + 1 : nil
            throw ProblemError(.quotaExceeded(name, retryAfter: wait))
        }
    }

    /// Refuses an agent's job that would find no model key when it runs.
    private func demandModel(for work: JobWork, of principal: Principal, in team: TeamID) async throws {
        guard case .claude = work, services.settings.model?.serves(team) != true else { return }
        guard try await services.modelKeys.hasModelKey(user: principal.account.bareID, team: team) else {
            throw ProblemError(.modelKeyMissing)
        }
    }

    private func accepted(_ job: Job) -> HTTPResponse {
        var response = HTTPResponse.json(202, JobView.document(job))
        response.headers.append(name: "location", value: "/v1/jobs/\(job.id)")
        return response
    }

    private func idempotencyKey(_ request: HTTPRequest) throws -> String? {
        let keys = request.headers.values(of: "idempotency-key")
        guard let key = keys.first else { return nil }
        guard keys.count == 1, (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else {
            throw ProblemError(
                .malformedParameter("Idempotency-Key", "must be 1 to 255 visible ASCII characters, once")
            )
        }
        return key
    }

    /// What makes two requests the same: everything that was asked for, nothing that we chose.
    private func requestHash(_ job: Job) -> [UInt8] {
        var meaning = job.workMeaning
        meaning.member("project", job.projectID.description)
        meaning.member("workspace", job.workspace.rawValue)
        meaning.member("timeout", job.timeoutSeconds)
        meaning.member("priority", job.priority)
        meaning.member("attempts", job.maxAttempts)
        meaning.endObject()
        return Digest.sha256(meaning.bytes)
    }
}

extension Job {
    /// The work as an unfinished JSON object with a fixed order of members.
    fileprivate var workMeaning: JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("kind", work.kind.rawValue)
        switch work {
        case .claude(let spec):
            writer.member("prompt", spec.prompt)
            writer.member("model", spec.model)
            writer.member("max_turns", spec.maxTurns)
        case .command(let spec):
            writer.key("argv")
            writer.value(.array(spec.argv.map { .string($0) }))
            writer.key("env")
            writer.value(
                .object(JSONObject(spec.environment.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
            )
            writer.member("stdin", spec.standardInput)
        }
        return writer
    }
}
