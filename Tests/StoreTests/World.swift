import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// A store over a database of its own, with people and work to fill it; confined to its loop.
final class World {
    static let start = Timestamp(milliseconds: 1_790_000_000_000)

    let loop: EventLoop
    let store: Store
    /// The connection string for the servers' role.
    let url: String
    let database: String
    private var serial = 0

    init(database: String, cluster: PrivateDatabase, connections: Int, loop: EventLoop) throws {
        self.loop = loop
        self.database = database
        url = cluster.connection(database: database, user: "errand_app")
        store = try Store(configuration: StoreConfiguration(url: url, connections: connections), loop: loop)
    }

    /// A word that no other call gave.
    func unique(_ stem: String) -> String {
        serial += 1
        return "\(stem)\(serial)"
    }

    /// An account with its team and a project in it.
    func person() async throws -> Person {
        let name = unique("person")
        let user = User(
            id: UserID(at: Self.start),
            email: "\(name)@example.org",
            name: name,
            isAdministrator: false,
            isDisabled: false,
            createdAt: Self.start
        )
        let team = Team(id: TeamID(at: Self.start), name: name, createdAt: Self.start)
        try await store.accounts.createUser(user, passwordHash: "hash", team: team)
        return Person(user: user, team: team, project: try await project(in: team.id))
    }

    /// A project in a team.
    func project(in team: TeamID) async throws -> Project {
        let project = Project(
            id: ProjectID(at: Self.start),
            teamID: team,
            name: unique("project"),
            policy: .contained,
            homeWorker: nil,
            createdAt: Self.start,
            updatedAt: Self.start
        )
        try await store.projects.createProject(project, scope: .system)
        return project
    }

    /// A worker with a lease from `start` on.
    func worker(now: Timestamp = World.start) async throws -> WorkerLease {
        let id = WorkerID(at: Self.start)
        try await store.workers.createWorker(
            id,
            name: unique("worker"),
            enrolmentHash: [UInt8](id.uuidBytes),
            expiresAt: Self.start.adding(seconds: 3_600)
        )
        return try await store.workers.openSession(id, resuming: nil, slots: 4, now: now)
    }

    /// A job that is not submitted yet.
    func job(
        _ person: Person,
        workspace: WorkspaceMode = .none,
        project: Project? = nil,
        attempts: Int = 1,
        priority: Int = 5,
        runAt: Timestamp = World.start
    ) -> Job {
        Job(
            id: JobID(at: Self.start),
            teamID: person.team.id,
            projectID: (project ?? person.project).id,
            submittedBy: .person(person.user.id),
            state: runAt > Self.start ? .delayed : .queued,
            priority: priority,
            workspace: workspace,
            policy: .contained,
            work: .command(CommandSpec(argv: ["/bin/true"], environment: ["A": "b"], standardInput: nil)),
            maxAttempts: attempts,
            timeoutSeconds: 60,
            createdAt: Self.start,
            runAt: runAt
        )
    }

    /// Submits jobs in the person's scope and demands that all are created.
    @discardableResult
    func submit(_ jobs: [Job], by person: Person) async throws -> [Job] {
        let new = jobs.map { NewJob(job: $0, idempotencyKey: nil, requestHash: [1]) }
        return try await store.jobs.submit(new, scope: .user(person.user.id)).map { submission in
            guard case .created(let job) = submission else { throw Unexpected(what: "\(submission)") }
            return job
        }
    }

    /// Claims for a lease by fair order.
    func claim(_ lease: WorkerLease, _ limit: Int = 1, now: Timestamp = World.start) async throws -> [Job] {
        try await store.jobs.claim(candidates: nil, lease: lease, limit: limit, now: now).map(\.job)
    }

    /// The only job of a claim.
    func claimOne(_ lease: WorkerLease, now: Timestamp = World.start) async throws -> Job {
        let claimed = try await claim(lease, 1, now: now)
        return try #require(claimed.first)
    }

    /// Takes what is lost, as the reaper does, with made-up digests for the logs.
    func reap(
        now: Timestamp,
        includesSilent: Bool = true,
        limit: Int = 10
    ) async throws -> (requeued: [JobHint], failed: [Job]) {
        var lost = try await store.jobs.lost(now: now, includesSilent: includesSilent, limit: limit)
        for index in lost.indices where lost[index].isLast {
            lost[index].log = .end(Self.logEnd(try await store.log.durable(lost[index].attempt)))
        }
        return try await store.jobs.reap(lost, now: now, includesSilent: includesSilent)
    }

    /// An end as one that has read so many records would tell it.
    static func logEnd(_ lastSeq: UInt64) -> LogEnd {
        LogEnd(lastSeq: lastSeq, bytes: lastSeq * 3, sha256: [UInt8](repeating: 9, count: 32))
    }

    /// The job as the system sees it.
    func current(_ id: JobID) async throws -> Job {
        let found = try await store.jobs.job(id, scope: .system)
        return try #require(found).value
    }

    /// Runs a body many times at once on the loop and gives the results in order.
    func atOnce<Value>(_ count: Int, _ body: @escaping (Int) async throws -> Value) async throws -> [Value] {
        var results: [Int: Result<Value, any Error>] = [:]
        let changed = LoopCondition()
        for index in 0..<count {
            loop.spawnLocal {
                do { results[index] = .success(try await body(index)) } catch { results[index] = .failure(error) }
                changed.signalAll()
            }
        }
        while results.count < count { await changed.wait() }
        return try (0..<count).compactMap { try results[$0]?.get() }
    }
}

/// An account with its team and a project.
struct Person {
    let user: User
    let team: Team
    let project: Project

    var scope: Scope { .user(user.id) }
}

struct Unexpected: Error {
    let what: String
}

/// Runs a body over a new database on a loop of its own.
func withWorld(connections: Int = 3, _ body: @escaping @Sendable (World) async throws -> Void) async throws {
    let cluster = try #require(PrivateDatabase.shared)
    let database = try await TestDatabases.shared.fresh()
    let loop = try EventLoop.start(name: "store-test")
    defer { loop.stop() }
    try await loop.run {
        let world = try World(database: database, cluster: cluster, connections: connections, loop: loop)
        try await world.store.start()
        do {
            try await body(world)
        } catch {
            await world.store.close()
            throw error
        }
        await world.store.close()
    }
}

extension Job {
    /// The fence of its present attempt.
    var current: AttemptID { AttemptID(job: id, attempt: attempt) }

    /// The report of an end without a log.
    func end(
        _ state: JobState = .succeeded,
        reason: JobReason? = nil,
        lastSeq: UInt64 = 0,
        didStart: Bool = true
    ) -> AttemptEnd {
        var result = JobResult()
        result.exitCode = state == .succeeded ? 0 : 1
        return AttemptEnd(
            attempt: current,
            state: state,
            reason: reason,
            reasonText: reason.map { "because \($0.rawValue)" },
            result: result,
            logEnd: LogEnd(lastSeq: lastSeq, bytes: lastSeq * 3, sha256: [UInt8](repeating: 7, count: 32)),
            didStart: didStart
        )
    }
}

extension EndVerdict {
    /// The job, when the end was accepted.
    var job: Job? { if case .accepted(let job, _) = self { job } else { nil } }
    var next: [JobHint] { if case .accepted(_, let next) = self { next } else { [] } }
    var isStale: Bool { if case .stale = self { true } else { false } }
}

/// Records that follow each other, from `first` on, of three bytes each.
func records(_ numbers: ClosedRange<UInt64>, stream: LogStream = .stdout) -> [LogRecord] {
    numbers.map { seq in
        LogRecord(
            seq: seq,
            stream: stream,
            offset: (seq - 1) * 3,
            at: World.start,
            bytes: [UInt8(seq % 251), 10, 0xff]
        )
    }
}
