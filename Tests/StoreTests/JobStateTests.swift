import Bytes
import Core
import Platform
import Testing

@testable import Store

@Suite struct JobStateTests {
    private static let pairs = JobState.allCases.flatMap { from in JobState.allCases.map { (from, $0) } }

    /// The shortest way from a state of birth to another state, by the arrows of the domain.
    private static func way(to state: JobState) -> [JobState] {
        var ways: [[JobState]] = [[.queued], [.delayed], [.blocked]]
        while let way = ways.first {
            ways.removeFirst()
            if way.last == state { return way }
            if way.count < 5 { ways += (way.last?.successors ?? []).map { way + [$0] } }
        }
        return []
    }

    private static func move(to state: JobState) -> String {
        switch state {
        case .running, .paused:
            "update jobs set state = '\(state.rawValue)', worker_id = id, worker_epoch = 1 where id = $1::uuid"
        case .succeeded, .failed, .cancelled, .timedOut:
            "update jobs set state = '\(state.rawValue)', finished_at = now() where id = $1::uuid"
        case .delayed, .queued, .blocked:
            """
            update jobs set state = '\(state.rawValue)', worker_id = null, worker_epoch = null, finished_at = null
            where id = $1::uuid
            """
        }
    }

    @Test func `the database takes the arrows of the domain and no other, for every pair`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            func change(_ job: JobID, to state: JobState) async throws(StoreError) {
                let statement = PostgresStatement("to.\(state.rawValue)", Self.move(to: state))
                _ = try await session.run(PostgresGroup(.system, [statement([.id(job)])]))
            }
            for (from, to) in Self.pairs {
                let way = Self.way(to: from)
                // A job of its own project each: the workspace rule is not what is tested.
                var job = world.job(person)
                job.state = try #require(way.first)
                try await world.submit([job], by: person)
                for step in way.dropFirst() { try await change(job.id, to: step) }
                let isAllowed = from == to || from.successors.contains(to)
                var refusal: StoreError?
                do throws(StoreError) { try await change(job.id, to: to) } catch { refusal = error }
                #expect((refusal == nil) == isAllowed, "\(from) to \(to): \(refusal.map { "\($0)" } ?? "taken")")
                #expect(try await world.current(job.id).state == (isAllowed ? to : from))
                if let refusal { #expect("\(refusal)".contains("23514")) }
            }
        }
    }

    @Test func `an attempt only grows by one, and a job begins at nought`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let job = world.job(person)
            try await world.submit([job], by: person)
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            let set = PostgresStatement("fence", "update jobs set attempt = $2::integer where id = $1::uuid")
            for (value, isTaken) in [(1, true), (3, false), (0, false), (2, true), (2, true)] {
                let call = set([.id(job.id), .integer(value)])
                let outcome = try? await session.run(PostgresGroup(.system, [call]))
                #expect((outcome != nil) == isTaken, "\(value)")
            }
            var running = world.job(person)
            running.state = .running
            await #expect(throws: StoreError.self) { try await world.submit([running], by: person) }
        }
    }
}
