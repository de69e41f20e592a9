import Bytes
import Core
import Testing

@testable import Store

@Suite struct ClaimTests {
    @Test func `a claim raises the attempt and names the worker`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            let job = world.job(person)
            try await world.submit([job], by: person)
            let claimed = try #require(
                try await world.store.jobs.claim(
                    candidates: [job.id, JobID(at: World.start)],
                    lease: lease,
                    limit: 5,
                    now: World.start
                ).first
            )
            #expect(claimed.job.state == .running && claimed.job.attempt == 1)
            #expect(claimed.job.workerID == lease.worker)
            #expect(claimed.project == person.project)
            #expect(try await world.current(job.id) == claimed.job)
            #expect(try await world.store.jobs.running(lease) == [claimed.job.current])
            let again = try await world.store.jobs.claim(
                candidates: [job.id],
                lease: lease,
                limit: 5,
                now: World.start
            )
            #expect(again.isEmpty)
        }
    }

    @Test func `only a current lease claims`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let old = try await world.worker()
            try await world.submit([world.job(person)], by: person)
            let lease = try await world.store.workers.openSession(
                old.worker,
                resuming: nil,
                slots: 1,
                now: World.start
            )
            #expect(try await world.claim(old).isEmpty)
            #expect(try await world.claim(lease, now: World.start.adding(LeaseTimes.timeToLive)).isEmpty)
            #expect(try await world.claim(lease).count == 1)
            let revoked = try await world.worker()
            _ = try await world.store.workers.revokeWorker(revoked.worker)
            try await world.submit([world.job(person)], by: person)
            #expect(try await world.claim(revoked).isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `no job is claimed twice by many claims at once`(byCandidates: Bool) async throws {
        try await withWorld(connections: 4) { world in
            let people = [try await world.person(), try await world.person(), try await world.person()]
            var ids: [JobID] = []
            for person in people {
                let jobs = (0..<100).map { index in
                    world.job(person, workspace: index % 10 == 0 ? .project : .none)
                }
                ids += try await world.submit(jobs, by: person).map(\.id)
            }
            let leases = [try await world.worker(), try await world.worker(), try await world.worker()]
            let all = ids
            var claimed: [Job] = []
            for _ in 0..<40 {
                let round = try await world.atOnce(12) { index in
                    let candidates = byCandidates ? Array(all.shuffled().prefix(60)) : nil
                    return try await world.store.jobs.claim(
                        candidates: candidates,
                        lease: leases[index % 3],
                        limit: 7,
                        now: World.start
                    )
                }
                claimed += round.flatMap { $0.map(\.job) }
                if claimed.count >= 273 { break }
            }
            // 270 without a workspace, and of each project's ten one.
            #expect(claimed.count == 273)
            #expect(Set(claimed.map(\.id)).count == 273)
            #expect(claimed.allSatisfy { $0.attempt == 1 })
        }
    }

    @Test func `jobs of one workspace run one at a time, at the project's home`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let (home, away) = (try await world.worker(), try await world.worker())
            let jobs = (0..<4).map { world.job(person, workspace: .project, priority: 9 - $0) }
            try await world.submit(jobs, by: person)
            let first = try await world.claim(home, 10)
            #expect(first.map(\.id) == [jobs[3].id])
            #expect(try await world.claim(home, 10).isEmpty)
            let everything = jobs.map(\.id)
            let byName = try await world.store.jobs.claim(
                candidates: everything,
                lease: home,
                limit: 9,
                now: World.start
            )
            #expect(byName.isEmpty)
            let project = try await world.store.projects.project(person.project.id, scope: .system)
            #expect(project?.value.homeWorker == home.worker)
            let ended = try await world.store.jobs.finish([first[0].end()], now: World.start)
            let hint = try #require(ended.first?.next.first)
            #expect(hint.job == jobs[2].id)
            #expect(hint.placement == .home(home.worker))
            #expect(try await world.claim(away, 10).isEmpty)
            let wrong = try await world.store.jobs.claim(
                candidates: everything,
                lease: away,
                limit: 9,
                now: World.start
            )
            #expect(wrong.isEmpty)
            #expect(try await world.claim(home, 10).map(\.id) == [jobs[2].id])
        }
    }

    @Test func `claims at once for one project's workspace give one job and one home`() async throws {
        try await withWorld(connections: 4) { world in
            let person = try await world.person()
            let leases = [try await world.worker(), try await world.worker()]
            let jobs = try await world.submit((0..<20).map { _ in world.job(person, workspace: .project) }, by: person)
            for _ in jobs {
                let round = try await world.atOnce(8) { index in
                    try await world.store.jobs.claim(
                        candidates: index < 4 ? jobs.map(\.id) : nil,
                        lease: leases[index % 2],
                        limit: 3,
                        now: World.start
                    )
                }
                let claimed = round.flatMap { $0 }
                #expect(claimed.count <= 1)
                let running = try #require(claimed.first)
                #expect(running.project.homeWorker == running.job.workerID)
                let verdicts = try await world.store.jobs.finish([running.job.end()], now: World.start)
                #expect(verdicts.first?.job?.state == .succeeded)
            }
            #expect(try await world.store.jobs.counts().isEmpty)
        }
    }

    @Test func `teams take turns whatever their backlog`() async throws {
        try await withWorld { world in
            let (busy, quiet) = (try await world.person(), try await world.person())
            try await world.submit((0..<50).map { _ in world.job(busy, priority: 0) }, by: busy)
            try await world.submit((0..<3).map { _ in world.job(quiet, priority: 9) }, by: quiet)
            let lease = try await world.worker()
            var turns: [TeamID] = []
            for _ in 0..<6 { turns.append(try await world.claimOne(lease).teamID) }
            #expect(turns.filter { $0 == quiet.team.id }.count == 3)
            #expect(turns[0] != turns[1] && turns[1] != turns[2])
            #expect(try await world.claim(lease, 10).count == 10)
        }
    }

    @Test func `within a team priority, then time, then age decide, and what is not due waits`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            let later = World.start.adding(seconds: 10)
            var soon = world.job(person, priority: 1)
            soon.runAt = World.start.adding(seconds: -5)
            var future = world.job(person, priority: 0)
            future.runAt = later
            let jobs = [world.job(person, priority: 5), world.job(person, priority: 1), soon, future]
            try await world.submit(jobs, by: person)
            #expect(try await world.claim(lease, 2).map(\.id) == [jobs[2].id, jobs[1].id])
            #expect(try await world.claim(lease, 9).map(\.id) == [jobs[0].id])
            #expect(try await world.claim(lease, 9).isEmpty)
            #expect(try await world.claim(lease, 9, now: later).map(\.id) == [future.id])
        }
    }

    @Test func `a ring moves on past the team that got the last place`() {
        func job(_ team: UInt64) -> ClaimedJob {
            let project = Project(
                id: ProjectID(high: team, low: 0),
                teamID: TeamID(high: team, low: 0),
                name: "",
                policy: .ask,
                homeWorker: nil,
                createdAt: World.start,
                updatedAt: World.start
            )
            let job = Job(
                id: JobID(at: World.start),
                teamID: project.teamID,
                projectID: project.id,
                submittedBy: .person(UserID(high: 0, low: 0)),
                workspace: .project,
                policy: .ask,
                work: .claude(ClaudeSpec(prompt: "", model: nil, maxTurns: nil)),
                timeoutSeconds: nil,
                createdAt: World.start,
                runAt: World.start
            )
            return ClaimedJob(job: job, project: project)
        }
        var ring = ClaimRing()
        ring.advance(past: [job(1), job(2), job(3), job(1), job(2)])
        #expect(ring.team == TeamID(high: 2, low: 0))
        #expect(ring.project == ProjectID(high: 3, low: 0))
        ring.advance(past: [job(3), job(1), job(2)])
        #expect(ring.team == TeamID(high: 2, low: 0))
        ring.advance(past: [])
        #expect(ring.team == TeamID(high: 2, low: 0))
        ring.advance(past: [job(3), job(1)])
        #expect(ring.team == TeamID(high: 1, low: 0))
    }
}
