import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

@Suite struct PoolTests {
    private static let sleep = PostgresStatement("sleep", "select pg_sleep($1::bigint * 0.001)")
    private static let echo = PostgresStatement("echo", "select $1::bigint")

    private static func pool(_ world: World, size: Int = 2) async throws -> PostgresPool {
        let pool = PostgresPool(try ConnectionParameters(world.url), size: size, loop: world.loop)
        try await pool.start()
        return pool
    }

    private static func echo(_ pool: PostgresPool, _ value: Int64) async throws(StoreError) -> Int64? {
        try await pool.run(nil, echo([.bigint(value)])).first { row throws(StoreError) in try row.value() }
    }

    @Test func `answers belong to their questions, far beyond what the sessions hold at once`() async throws {
        try await withWorld { world in
            let pool = try await Self.pool(world)
            let answers = try await world.atOnce(3_000) { try await Self.echo(pool, Int64($0)) }
            #expect(answers == (0..<3_000).map { Int64($0) })
            await pool.close()
            await #expect(throws: StoreError.unavailable("the store is closed")) {
                _ = try await Self.echo(pool, 1)
            }
        }
    }

    @Test func `a failed group takes nothing with it but itself`() async throws {
        try await withWorld { world in
            let pool = try await Self.pool(world, size: 1)
            let divide = PostgresStatement("divide", "select 1 / $1::bigint")
            let wrong = PostgresStatement("wrong", "select nonsense from nowhere")
            let outcomes = try await world.atOnce(90) { index -> String in
                do throws(StoreError) {
                    switch index % 3 {
                    case 0: return "\(try await Self.echo(pool, Int64(index)) ?? -1)"
                    case 1:
                        let group = PostgresGroup(nil, [Self.echo([.bigint(1)]), divide([.bigint(0)])])
                        return "\(try await pool.run(group).count)"
                    default: return "\(try await pool.run(nil, wrong()).count)"
                    }
                } catch {
                    guard case .failed(_, let state) = error else { return "\(error)" }
                    return state
                }
            }
            for (index, outcome) in outcomes.enumerated() {
                #expect(outcome == ["\(index)", "22012", "42P01"][index % 3])
            }
            await pool.close()
        }
    }

    @Test func `a statement of a group that failed is undone`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let twin = User(
                id: UserID(at: World.start),
                email: "new@example.org",
                name: "n",
                isAdministrator: false,
                isDisabled: false,
                createdAt: World.start
            )
            await #expect(throws: StoreError.conflict(field: "id")) {
                try await world.store.accounts.createUser(twin, passwordHash: "h", team: person.team)
            }
            #expect(try await world.store.accounts.user(twin.id) == nil)
        }
    }

    @Test func `a wrong address and a wrong database are told at the start`() async throws {
        try await withWorld { world in
            let cluster = try #require(PrivateDatabase.shared)
            for url in [
                "host=/nonexistent dbname=x user=errand_app", "host=127.0.0.1 port=1 dbname=x user=errand_app",
                cluster.connection(database: "nonexistent", user: "errand_app"),
            ] {
                let store = try Store(configuration: StoreConfiguration(url: url), loop: world.loop)
                await #expect(throws: StoreError.self) { try await store.start() }
                let answers = await store.ping()
                #expect(!answers)
            }
            #expect(throws: StoreError.self) { _ = try ConnectionParameters("postgresql://[") }
            let answers = await world.store.ping()
            #expect(answers)
        }
    }

    @Test func `waiters of a closed pool are answered`() async throws {
        try await withWorld { world in
            let pool = try await Self.pool(world)
            world.loop.spawnLocal { await pool.close() }
            let outcomes = try await world.atOnce(400) { _ -> Bool in
                do throws(StoreError) {
                    _ = try await pool.run(nil, Self.sleep([.bigint(2_000)]))
                    return false
                } catch {
                    if case .unavailable = error { return true }
                    throw error
                }
            }
            #expect(outcomes.allSatisfy { $0 })
        }
    }

    @Test func `a crash of the server fails who waits, and the pool comes back with what was committed`() async throws {
        let cluster = try PrivateDatabase(isDurable: true)
        try await cluster.start()
        let loop = try EventLoop.start(name: "crash")
        defer { loop.stop() }
        try await loop.run {
            _ = try await DatabaseBootstrap.prepare(
                superuser: ConnectionParameters(cluster.superuser),
                database: "crashing",
                passwords: RolePasswords(owner: "1", app: "2", audit: "3"),
                migrations: TestDatabases.migrations,
                on: loop
            )
            let world = try World(database: "crashing", cluster: cluster, connections: 3, loop: loop)
            try await world.store.start()
            let person = try await world.person()
            var created: Set<JobID> = []
            var unavailable = 0
            var isOver = false
            // Traffic that goes on through the crash, one job a call.
            let traffic = LoopCondition()
            var running = 8
            for _ in 0..<running {
                loop.spawnLocal {
                    while !isOver {
                        let job = world.job(person)
                        do throws(StoreError) {
                            let new = NewJob(job: job, idempotencyKey: nil, requestHash: [1])
                            let answer = try await world.store.jobs.submit([new], scope: person.scope)
                            if case .created(let job)? = answer.first { created.insert(job.id) }
                        } catch {
                            if case .unavailable = error { unavailable += 1 }
                        }
                        traffic.signalAll()
                    }
                    running -= 1
                    traffic.signalAll()
                }
            }
            while created.count < 200 { await traffic.wait() }
            await cluster.crash()
            while unavailable < 8 { await traffic.wait() }
            try await cluster.start()
            let before = created.count
            while created.count < before + 200 { await traffic.wait() }
            isOver = true
            while running > 0 { await traffic.wait() }
            // Whatever was answered is there; what was lost on the way may be there too.
            var found: Set<JobID> = []
            var cursor: JobID?
            while true {
                let page = try await world.store.jobs.queued(after: cursor, limit: 1_000)
                guard let last = page.last else { break }
                found.formUnion(page.map(\.job))
                cursor = last.job
            }
            #expect(created.isSubset(of: found))
            #expect(found.count <= created.count + unavailable)
            await world.store.close()
        }
        await cluster.crash()
    }
}
