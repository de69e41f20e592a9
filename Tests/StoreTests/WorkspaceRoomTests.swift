import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// Room for archives: taken before they come, never shared, and free again whatever becomes of them.
@Suite(.timeLimit(.minutes(5))) struct WorkspaceRoomTests {
    private static func limit(_ bytes: Int64, _ person: Person, _ world: World) async throws {
        try #require(
            await world.store.quotas.setQuota(
                .storedBytes,
                .limit(bytes),
                of: person.team.id,
                now: World.start,
                audit: .sample("quota.changed", team: person.team.id)
            )
        )
    }

    private static func used(_ person: Person, _ world: World) async throws -> Int64? {
        try await world.store.quotas.quotas(of: person.team.id, scope: person.scope, now: World.start)
            .first { $0.name == .storedBytes }?.used
    }

    /// Takes room for an archive; nil when there is none.
    private static func hold(
        _ bytes: Int64?,
        _ project: Project,
        _ person: Person,
        _ world: World,
        now: Timestamp = World.start
    ) async throws -> WorkspaceHold? {
        do {
            return try await world.store.quotas.holdWorkspace(project.id, bytes: bytes, scope: person.scope, now: now)
        } catch StoreError.quotaExceeded(.storedBytes) {
            return nil
        }
    }

    @Test func `room for an archive is taken before it comes, and two do not share it`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let second = try await world.project(in: person.team.id)
            let quotas = world.store.quotas
            try await Self.limit(1_000, person, world)
            let taken = try await world.atOnce(10) { number in
                try await Self.hold(700, number % 2 == 0 ? person.project : second, person, world)
            }.compactMap { $0 }
            #expect(taken.count == 1)
            #expect(try await Self.used(person, world) == 700)
            let first = try #require(taken.first)
            let (held, free) = first.project == second.id ? (second, person.project) : (person.project, second)
            try await quotas.settleWorkspace(first, bytes: 100, scope: person.scope)
            #expect(try await Self.used(person, world) == 100)
            // What is replaced gives its room to what comes.
            let again = try #require(try await Self.hold(1_000, held, person, world))
            #expect(try await Self.used(person, world) == 1_000)
            try await quotas.settleWorkspace(again, bytes: nil, scope: person.scope)
            #expect(try await Self.used(person, world) == 100)
            #expect(try await Self.hold(901, free, person, world) == nil)
            let rest = try #require(try await Self.hold(900, free, person, world))
            try await quotas.settleWorkspace(rest, bytes: 900, scope: person.scope)
            // Strangers reach neither the project nor the reservation.
            let stranger = try await world.person()
            #expect(try await Self.hold(1, held, stranger, world) == nil)
            try await quotas.settleWorkspace(rest, bytes: 0, scope: stranger.scope)
            #expect(try await Self.used(person, world) == 1_000)
        }
    }

    @Test func `an upload that nobody ends gives its room back by itself`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            try await Self.limit(1_000, person, world)
            let quotas = world.store.quotas
            let other = try await world.project(in: person.team.id)
            let lost = try #require(try await Self.hold(600, person.project, person, world))
            let slow = try #require(try await Self.hold(300, other, person, world))
            #expect(try await Self.hold(200, person.project, person, world) == nil)
            let half = World.start.adding(.seconds(600))
            try await quotas.renewWorkspace(slow, scope: person.scope, now: half)
            let later = World.start.adding(WorkspaceHold.lifetime)
            #expect(try await quotas.prune(now: later, limit: 10) == 1)
            #expect(try await Self.used(person, world) == 300)
            // Even before anybody prunes, what has ended is not in the way.
            let end = half.adding(WorkspaceHold.lifetime)
            #expect(try await Self.hold(1_000, person.project, person, world, now: end) != nil)
            // Its own end, when it comes after all, takes nothing twice.
            try await quotas.settleWorkspace(lost, bytes: nil, scope: person.scope)
            #expect(try await Self.used(person, world) == 1_000)
        }
    }

    @Test func `two uploads into one project leave what is there`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let quotas = world.store.quotas
            let first = try #require(try await Self.hold(2_000, person.project, person, world))
            let second = try #require(try await Self.hold(500, person.project, person, world))
            try await quotas.settleWorkspace(first, bytes: nil, scope: person.scope)
            try await quotas.settleWorkspace(second, bytes: nil, scope: person.scope)
            #expect(try await Self.used(person, world) == 0)
            let third = try #require(try await Self.hold(2_000, person.project, person, world))
            let fourth = try #require(try await Self.hold(10, person.project, person, world))
            try await quotas.settleWorkspace(third, bytes: 2_000, scope: person.scope)
            try await quotas.settleWorkspace(fourth, bytes: nil, scope: person.scope)
            #expect(try await Self.used(person, world) == 2_000)
        }
    }

    @Test func `archives of unknown length share what is left, and refuse no job`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            try await Self.limit(1_000, person, world)
            var projects: [Project] = []
            for _ in 0..<5 { projects.append(try await world.project(in: person.team.id)) }
            let places = projects
            let holds = try await world.atOnce(5) { number in
                try await Self.hold(nil, places[number], person, world)
            }.compactMap { $0 }
            #expect(holds.map(\.most) == [1_000])
            let job = NewJob(job: world.job(person), idempotencyKey: nil, requestHash: [1])
            guard case .created = try await world.store.jobs.submit([job], scope: person.scope)[0] else {
                Issue.record("what is only reserved refuses no job")
                return
            }
            // What is there does.
            try await world.store.quotas.settleWorkspace(try #require(holds.first), bytes: 1_000, scope: person.scope)
            let next = NewJob(job: world.job(person), idempotencyKey: nil, requestHash: [1])
            guard case .quotaExceeded(.storedBytes) = try await world.store.jobs.submit([next], scope: person.scope)[0]
            else {
                Issue.record("a full team submits nothing")
                return
            }
            // Without a limit, an archive of unknown length may be as long as any.
            let free = try await world.person()
            #expect(try await Self.hold(nil, free.project, free, world)?.most == WorkspaceHold.largestArchive)
        }
    }

    @Test func `a project that goes takes along what was reserved for it`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let going = try await world.project(in: person.team.id)
            let hold = try #require(try await Self.hold(500, going, person, world))
            let audit = AuditDraft.sample("project.deleted", team: person.team.id)
            #expect(try await world.store.projects.deleteProject(going.id, scope: person.scope, audit: audit))
            #expect(try await Self.used(person, world) == 0)
            try await world.store.quotas.settleWorkspace(hold, bytes: 500, scope: person.scope)
            #expect(try await Self.used(person, world) == 0)
            #expect(try await Self.hold(1, going, person, world) == nil)
        }
    }
}
