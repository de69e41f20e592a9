import Bytes
import Core
import HTTP
import Link
import Platform
import Store
import Testing

@testable import API

@Suite struct QueueCareTests {
    /// Waits for something that an asynchronous look finds true, looking again after each sweep.
    private static func comes(
        _ jobs: WatchedJobStore,
        on loop: EventLoop,
        _ holds: () async throws -> Bool
    ) async throws -> Bool {
        let end = loop.now.advanced(by: .seconds(15))
        while try await !holds() {
            guard loop.now < end else { return false }
            _ = await jobs.changed.wait(timeout: .seconds(2), on: loop)
        }
        return true
    }

    private static func state(of job: JobID, in world: APIWorld) async throws -> JobState {
        let found = try await world.store.jobs.job(job, scope: .system)
        return try #require(found).value.state
    }

    @Test func `while a long log is read, sweeps, other lost jobs and the ends of teams go on`() async throws {
        try await withAPI { world in
            let (jobs, log) = (WatchedJobStore(world.store.jobs), HeldLogStore(world.log))
            let services = world.services(jobs: jobs, log: log)
            let (person, leaver) = (try await world.person(), try await world.person())
            let worker = try await world.worker().id
            let workers = world.store.workers
            let lease = try await workers.openSession(worker, resuming: nil, slots: 4, now: world.time.now)
            // One job whose log has to be read, and one that goes back to the queue.
            let (last, again) = (try await world.job(of: person), try await world.job(of: person, attempts: 2))
            let claimed = try await jobs.claim(candidates: nil, lease: lease, limit: 4, now: world.time.now)
            try #require(claimed.count == 2)
            for job in claimed {
                let attempt = AttemptID(job: job.job.id, attempt: 1)
                #expect(try await jobs.markStarted(attempt, now: world.time.now))
            }
            // Its worker is back in a new session, without them.
            _ = try await workers.openSession(worker, resuming: nil, slots: 4, now: world.time.now)
            let audit = AuditDraft(at: world.time.now, team: leaver.team.id, actor: .system, action: "team.deleted")
            _ = try await world.store.teams.delete(
                leaver.team.id,
                now: world.time.now.adding(seconds: -8 * 86_400),
                scope: .user(leaver.user.id),
                audit: audit
            )
            let care = QueueCare(services) {}
            var hasEnded = false
            world.loop.spawnLocal {
                await care.run()
                hasEnded = true
                jobs.changed.signalAll()
            }
            func state(_ job: Job) async throws -> JobState { try await Self.state(of: job.id, in: world) }
            #expect(try await Self.comes(jobs, on: world.loop) { log.isReading })
            let before = jobs.sweeps
            #expect(try await Self.comes(jobs, on: world.loop) { jobs.sweeps >= before + 2 })
            #expect(try await Self.comes(jobs, on: world.loop) { try await state(again) == .queued })
            #expect(
                try await Self.comes(jobs, on: world.loop) {
                    try await world.store.teams.team(leaver.team.id, scope: .system) == nil
                }
            )
            #expect(try await state(last) == .running && log.isHeld)
            care.stop()
            #expect(!hasEnded)
            // Its end comes with that of the log that is being read, and what was read is not lost.
            log.release()
            await care.ended()
            #expect(try await Self.comes(jobs, on: world.loop) { hasEnded })
            #expect(try await state(last) == .failed)
        }
    }

    @Test func `a project whose worker was revoked gets a new home, where an upload goes`() async throws {
        try await withAPI { world in
            let person = try await world.person()
            let (gone, new) = (try await world.worker(), try await world.worker())
            let waiting = try await world.job(of: person, workspace: .project)
            let projects = world.store.projects
            _ = try await projects.setHome(waiting.projectID, gone.id, scope: .system)
            let links = world.replicas[0].services.links
            let lease = WorkerLease(worker: new.id, epoch: 1)
            /// The new worker takes whatever comes.
            @Sendable func answer(_ number: UInt64, _ event: WorkspaceTransfer.Event) {
                _ = links.transfer(number, of: lease.worker)?.deliver(event)
            }
            _ = links.open(
                new.id,
                ControlHandle(
                    lease: lease,
                    loop: world.loop,
                    send: { if case .workspace(let request) = $0 { answer(request.transfer, .credit(1_000)) } },
                    close: { _ in }
                )
            )
            _ = links.open(
                new.id,
                BulkHandle(loop: world.loop) { message in
                    if case .end(let number, nil) = message { answer(number, .outcome(.done(bytes: 7, entries: 1))) }
                }
            )
            func upload() async throws -> APIAnswer {
                let request = try HTTPRequest(
                    method: .put,
                    target: "/v1/projects/\(waiting.projectID)/workspace",
                    headers: HTTPHeaders([
                        ("content-type", "application/x-tar"),
                        ("authorization", "Bearer \(try await world.device(of: person).token)"),
                    ]),
                    body: InMemoryBody(Array("archive".utf8)),
                    remoteAddress: "192.0.2.1",
                    isSecure: true,
                    authority: "errand.test"
                )
                return try await APIAnswer(world.replicas[0].router.respond(to: request), on: world.loop)
            }
            #expect(try await upload().code == "worker_unavailable")
            let audit = AuditDraft(at: world.time.now, team: nil, actor: .system, action: "worker.revoked")
            #expect(try await world.store.workers.revokeWorker(gone.id, audit: audit))
            let jobs = WatchedJobStore(world.store.jobs)
            let care = QueueCare(world.services(jobs: jobs)) {}
            world.loop.spawnLocal { await care.run() }
            #expect(
                try await Self.comes(jobs, on: world.loop) {
                    try await Self.state(of: waiting.id, in: world) == .failed
                }
            )
            care.stop()
            await care.ended()
            #expect(try await upload().status == 200)
            let home = try await projects.project(waiting.projectID, scope: .system)
            #expect(home?.value.homeWorker == new.id)
        }
    }

    @Test func `teams are taken apart in turn, and after a step that failed comes a smaller one`() async throws {
        try await withAPI { world in
            let script = ScriptedEndings()
            let endings = TeamEndings(world.services(endings: script))
            let (large, stuck, small) = (
                TeamID(at: world.time.now), TeamID(at: world.time.now), TeamID(at: world.time.now)
            )
            script.teams = [(large, 100), (stuck, 1), (small, 2)]
            script.stuck = [stuck]
            await #expect(throws: StoreError.self) { try await endings.sweep() }
            // The small one did not wait for the large one, and of each turn something is left.
            #expect(script.teams.map(\.team) == [large, stuck])
            #expect(script.steps.prefix(5).map(\.team) == [large, stuck, small, large, small])
            #expect(script.steps.prefix(3).map(\.limit) == [100, 100, 50])
            #expect(script.steps.count == 20 && script.steps.filter { $0.team == stuck }.count == 1)
            // As small as it needs, as long as nothing else succeeds; then as large as before.
            script.teams = [(stuck, 1)]
            for _ in 0..<10 { await #expect(throws: StoreError.self) { try await endings.sweep() } }
            #expect(script.steps.last?.limit == 1)
            script.stuck = []
            script.teams = [(stuck, 10)]
            try await endings.sweep()
            #expect(script.steps.suffix(10).map(\.limit) == [1, 2, 4, 8, 16, 32, 64, 100, 100, 100])
            #expect(script.teams.isEmpty)
        }
    }
}
