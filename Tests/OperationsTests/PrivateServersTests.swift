import Glibc
import Operations
import Platform
import Testing

@Suite(.timeLimit(.minutes(3)), .serialized)
struct PrivateServersTests {
    @Test func `PostgreSQL and Redis are made, serve, are taken over after a kill, and keep their data`() async throws {
        let parent = try TemporaryDirectory("servers")
        try await onLoop { loop in
            let captured = try CapturedLog()
            let data = try await DataDirectory.open("\(parent.path)/data", on: loop)
            try await withServers(data, captured.log, loop) { postgres, redis in
                try await postgres.bootstrap()
                try await postgres.bootstrap()
                try await query(postgres, .owner, "create table kept (n int); insert into kept values (42);", loop)
                try await query(postgres, .owner, "grant select on kept to errand_app;", loop)
                #expect(try await query(postgres, .app, "select n from kept;", loop) == "42\n")
                await #expect(throws: ProgramError.self) {
                    try await query(postgres, .app, "drop table kept;", loop)
                }
                #expect(try await command(redis, "SET kept 42", loop) == "+OK\r\n")
                #expect(try await command(redis, "CONFIG GET maxmemory-policy", loop).contains("noeviction"))
                #expect(try await command(redis, "CONFIG GET appendonly", loop).contains("yes"))
            }
            try await withServers(data, captured.log, loop) { postgres, redis in
                let row = try await query(postgres, .app, "select n from kept;", loop)
                let value = try await command(redis, "GET kept", loop)
                #expect((row, value) == ("42\n", "$2\r\n42\r\n"))
            }
            let text = try captured.lines().joined(separator: "\n")
            #expect(!text.contains(try await data.secret("postgres-errand_app").reveal()))
        }
    }

    @Test func `a wrong password is refused`() async throws {
        let parent = try TemporaryDirectory("password")
        try await onLoop { loop in
            let captured = try CapturedLog()
            let data = try await DataDirectory.open("\(parent.path)/data", on: loop)
            let postgres = try await PrivatePostgres.prepare(in: data, log: captured.log, loop: loop)
            let supervisor = Supervisor(services: [postgres.service], log: captured.log, loop: loop)
            try await supervisor.start()
            try await postgres.bootstrap()
            let right = postgres.url(role: .app).reveal()
            let wrong = right.replacing(try await data.secret("postgres-errand_app").reveal(), with: "guess")
            #expect(try await psql(right, "select 1;", loop) == "1\n")
            await #expect(throws: ProgramError.self) { try await psql(wrong, "select 1;", loop) }
            await supervisor.stop()
        }
    }

    @Test func `servers that a killed process left behind are stopped first`() async throws {
        let parent = try TemporaryDirectory("orphans")
        try await onLoop { loop in
            let captured = try CapturedLog()
            let data = try await DataDirectory.open("\(parent.path)/data", on: loop)
            let postgres = try await PrivatePostgres.prepare(in: data, log: captured.log, loop: loop)
            let redis = try await PrivateRedis.prepare(in: data, log: captured.log, loop: loop)
            // Started without a supervisor and without the death signal: nobody stops these.
            var orphans: [ChildProcess] = []
            for service in [postgres.service, redis.service] {
                orphans.append(try ChildProcess.spawn(try await service.makeSpec(), on: loop))
                while await !service.isReady() { await loop.sleep(.milliseconds(20)) }
            }
            let heirs = (
                try await PrivatePostgres.prepare(in: data, log: captured.log, loop: loop),
                try await PrivateRedis.prepare(in: data, log: captured.log, loop: loop)
            )
            for orphan in orphans { #expect(await orphan.wait(timeout: .seconds(30)) == .exited(0)) }
            let services = [heirs.0.service, heirs.1.service]
            let supervisor = Supervisor(services: services, log: captured.log, loop: loop)
            try await supervisor.start()
            await supervisor.stop()
            #expect(try captured.lines().filter { $0.contains("left by an earlier run") }.count == 2)
        }
    }
}

private func withServers(
    _ data: DataDirectory,
    _ log: StructuredLog,
    _ loop: EventLoop,
    _ body: (PrivatePostgres, PrivateRedis) async throws -> Void
) async throws {
    let postgres = try await PrivatePostgres.prepare(in: data, log: log, loop: loop)
    let redis = try await PrivateRedis.prepare(in: data, log: log, loop: loop)
    let supervisor = Supervisor(services: [postgres.service, redis.service], log: log, loop: loop)
    try await supervisor.start()
    try await body(postgres, redis)
    await supervisor.stop()
}

@discardableResult
private func query(
    _ postgres: PrivatePostgres,
    _ role: PrivatePostgres.Role,
    _ sql: String,
    _ loop: EventLoop
) async throws -> String {
    try await psql(postgres.url(role: role).reveal(), sql, loop)
}

@discardableResult
private func psql(_ url: String, _ sql: String, _ loop: EventLoop) async throws -> String {
    let program = try #require(Program.find("psql"))
    let arguments = ["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-f", "-", url]
    let spec = ProcessSpec(path: program, arguments: arguments, environment: ["PATH": "/usr/bin:/bin"])
    return try await Program.require(spec, input: Array(sql.utf8), on: loop)
}

private func command(_ redis: PrivateRedis, _ text: String, _ loop: EventLoop) async throws -> String {
    let socket = try await ByteSocket.connect(to: .unix(path: redis.socketPath), on: loop, timeout: .seconds(5))
    defer { socket.close() }
    try await socket.write(Array("\(text)\r\n".utf8))
    return String(decoding: try await socket.read(max: 1000), as: UTF8.self)
}
