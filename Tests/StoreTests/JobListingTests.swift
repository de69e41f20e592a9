import Bytes
import Core
import Testing

@testable import Store

@Suite struct JobListingTests {
    @Test func `pages hold every job in scope once, newest first`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let second = Team(id: TeamID(at: World.start), name: "second", createdAt: World.start)
            _ = try await world.store.teams.createTeam(
                second,
                owner: person.user.id,
                most: nil,
                audit: .sample("team.created")
            )
            let inSecond = Person(user: person.user, team: second, project: try await world.project(in: second.id))
            let first = try await world.submit((0..<7).map { _ in world.job(person) }, by: person)
            let more = try await world.submit((0..<6).map { _ in world.job(inSecond) }, by: person)
            let hidden = try await world.submit([world.job(other)], by: other)
            let mine = (first + more).map(\.id).sorted(by: >)

            func pages(_ filter: JobFilter, _ scope: Scope) async throws -> [JobID] {
                var found: [JobID] = []
                while true {
                    let page = try await world.store.jobs.jobs(filter, before: found.last, limit: 4, scope: scope)
                    found += page.items.map(\.id)
                    if !page.hasMore { return found }
                }
            }
            #expect(try await pages(JobFilter(), person.scope) == mine)
            #expect(try await pages(JobFilter(), .system) == (mine + hidden.map(\.id)).sorted(by: >))
            #expect(try await pages(JobFilter(), .team(second.id)) == more.map(\.id).sorted(by: >))
            var filter = JobFilter()
            filter.team = second.id
            #expect(try await pages(filter, person.scope) == more.map(\.id).sorted(by: >))
            #expect(try await pages(filter, other.scope).isEmpty)
            filter = JobFilter()
            filter.project = person.project.id
            #expect(try await pages(filter, person.scope) == first.map(\.id).sorted(by: >))
            #expect(try await pages(filter, other.scope).isEmpty)
        }
    }

    @Test func `a filter by state and kind holds in every form of the listing`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            var agent = world.job(person)
            agent.work = .claude(ClaudeSpec(prompt: "p", model: nil, maxTurns: nil))
            let gone = world.job(person)
            try await world.submit([world.job(person), agent, gone], by: person)
            _ = try await world.store.jobs.requestCancel(gone.id, scope: .system, now: World.start)
            for scope in [Scope.system, person.scope, .team(person.team.id)] {
                for project in [nil, person.project.id] {
                    var filter = JobFilter()
                    filter.project = project
                    func count() async throws -> Int {
                        try await world.store.jobs.jobs(filter, before: nil, limit: 10, scope: scope).items.count
                    }
                    filter.states = [.queued, .running]
                    #expect(try await count() == 2)
                    filter.kind = .claude
                    #expect(try await count() == 1)
                    filter.states = [.cancelled, .queued]
                    filter.kind = .command
                    #expect(try await count() == 2)
                    filter.states = [.cancelled]
                    #expect(try await count() == 1)
                    filter.states = [.running]
                    #expect(try await count() == 0)
                }
            }
        }
    }
}
