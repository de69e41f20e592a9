import Bytes
import Core
import Testing

@testable import Store

@Suite struct ProjectStoreTests {
    @Test func `a name is taken within its team only`() async throws {
        try await withWorld { world in
            let (one, two) = (try await world.person(), try await world.person())
            var twin = one.project
            twin.id = ProjectID(at: World.start)
            await #expect(throws: StoreError.conflict(field: "name")) {
                try await world.store.projects.createProject(twin, scope: one.scope)
            }
            twin.teamID = two.team.id
            await #expect(throws: StoreError.notFound) {
                try await world.store.projects.createProject(twin, scope: one.scope)
            }
            try await world.store.projects.createProject(twin, scope: two.scope)
            #expect(try await world.store.projects.project(twin.id, scope: two.scope)?.value == twin)
        }
    }

    @Test func `projects are listed newest first, a page at a time`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            var expected = [person.project.id]
            for _ in 0..<4 { expected.append(try await world.project(in: person.team.id).id) }
            _ = try await world.project(in: other.team.id)
            expected.sort(by: >)
            let projects = world.store.projects
            let first = try await projects.projects(team: nil, before: nil, limit: 3, scope: person.scope)
            #expect(first.items.map(\.id) == Array(expected.prefix(3)))
            #expect(first.hasMore)
            let second = try await projects.projects(
                team: person.team.id,
                before: first.items.last?.id,
                limit: 3,
                scope: person.scope
            )
            #expect(second.items.map(\.id) == Array(expected.dropFirst(3)))
            #expect(!second.hasMore)
            let foreign = try await projects.projects(team: other.team.id, before: nil, limit: 3, scope: person.scope)
            #expect(foreign.items.isEmpty)
        }
    }

    @Test func `name and policy change where given`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let projects = world.store.projects
            let id = person.project.id
            let renamed = try await projects.updateProject(id, name: "new", policy: nil, scope: person.scope)
            #expect(renamed?.name == "new" && renamed?.policy == .contained)
            let held = try await projects.updateProject(id, name: nil, policy: .readOnly, scope: person.scope)
            #expect(held?.name == "new" && held?.policy == .readOnly)
            #expect(try await projects.updateProject(id, name: "x", policy: nil, scope: other.scope) == nil)
        }
    }

    @Test func `the first worker becomes a project's home and stays it`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let (one, two) = (try await world.worker(), try await world.worker())
            let projects = world.store.projects
            let homes = try await world.atOnce(10) { index in
                try await projects.setHome(
                    person.project.id,
                    index % 2 == 0 ? one.worker : two.worker,
                    scope: person.scope
                )
            }
            #expect(Set(homes).count == 1)
            #expect(homes.first == (try await projects.project(person.project.id, scope: .system))?.value.homeWorker)
            let stranger = try await world.person()
            #expect(try await projects.setHome(person.project.id, one.worker, scope: stranger.scope) == nil)
        }
    }

    @Test func `a project is deleted once its jobs are over, and they stay readable`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let projects = world.store.projects
            let job = world.job(person)
            try await world.submit([job], by: person)
            await #expect(throws: StoreError.conflict(field: "jobs")) {
                try await projects.deleteProject(person.project.id, scope: person.scope)
            }
            #expect(try await !projects.deleteProject(person.project.id, scope: other.scope))
            _ = try await world.store.jobs.requestCancel(job.id, scope: person.scope, now: World.start)
            #expect(try await projects.deleteProject(person.project.id, scope: person.scope))
            #expect(try await !projects.deleteProject(person.project.id, scope: person.scope))
            #expect(try await projects.project(person.project.id, scope: person.scope) == nil)
            #expect(try await world.store.jobs.job(job.id, scope: person.scope)?.value.state == .cancelled)
            var again = person.project
            again.id = ProjectID(at: World.start)
            try await projects.createProject(again, scope: person.scope)
            let late = NewJob(job: world.job(person), idempotencyKey: nil, requestHash: [1])
            guard case .projectGone = try await world.store.jobs.submit([late], scope: person.scope).first else {
                Issue.record("a job was submitted to a deleted project")
                return
            }
        }
    }
}
