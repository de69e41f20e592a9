import Bytes
import Core

@testable import Store

// The acts of tests that are not about their records: each gets one that says no more than its name.

extension NewJob {
    init(job: Job, idempotencyKey: String?, requestHash: [UInt8]) {
        self.init(
            job: job,
            idempotencyKey: idempotencyKey,
            requestHash: requestHash,
            audit: .sample("job.submitted", team: job.teamID, target: job.id.description)
        )
    }
}

extension ProjectStore {
    func createProject(_ project: Project, scope: Scope) async throws(StoreError) {
        try await createProject(project, scope: scope, audit: .sample("project.created", team: project.teamID))
    }

    func updateProject(
        _ id: ProjectID,
        name: String?,
        policy: AgentPolicy?,
        scope: Scope
    ) async throws(StoreError) -> Project? {
        try await updateProject(id, name: name, policy: policy, scope: scope, audit: .sample("project.updated"))
    }

    func deleteProject(_ id: ProjectID, scope: Scope) async throws(StoreError) -> Bool {
        try await deleteProject(id, scope: scope, audit: .sample("project.deleted"))
    }
}

extension JobStore {
    func requestCancel(_ id: JobID, scope: Scope, now: Timestamp) async throws(StoreError) -> CancelOutcome? {
        try await requestCancel(id, scope: scope, now: now, audit: .sample("job.cancelled"))
    }
}

extension WorkerStore {
    func createWorker(
        _ id: WorkerID,
        name: String,
        enrolmentHash: [UInt8],
        expiresAt: Timestamp
    ) async throws(StoreError) {
        try await createWorker(
            id,
            name: name,
            enrolmentHash: enrolmentHash,
            expiresAt: expiresAt,
            audit: .sample("worker.created")
        )
    }

    func enrol(
        enrolmentHash: [UInt8],
        credentialHash: [UInt8],
        now: Timestamp
    ) async throws(StoreError) -> WorkerRecord? {
        try await enrol(enrolmentHash: enrolmentHash, credentialHash: credentialHash, now: now) { id in
            .sample("worker.enrolled", target: id.description)
        }
    }

    func revokeWorker(_ id: WorkerID) async throws(StoreError) -> Bool {
        try await revokeWorker(id, audit: .sample("worker.revoked", target: id.description))
    }
}

extension AccountStore {
    func createUser(_ user: User, passwordHash: String, team: Team) async throws(StoreError) {
        try await createUser(user, passwordHash: passwordHash, team: team, audit: [.sample("user.created")])
    }

    func setDisabled(_ id: UserID, _ isDisabled: Bool) async throws(StoreError) -> Bool {
        try await setDisabled(id, isDisabled, audit: .sample(isDisabled ? "user.disabled" : "user.enabled"))
    }
}
