import Platform

extension Doctor {
    static func postgres(on loop: EventLoop) async -> Finding {
        do {
            let programs = try await BlockingPool.run { try PostgresPrograms.find() }
            let version = try await version(of: programs.path("postgres"), on: loop)
            return .fine("PostgreSQL", "\(version) in \(programs.directory)")
        } catch {
            let fix = "apt-get install postgresql; not needed where ERRAND_DATABASE_URL names a server elsewhere"
            return .failure("PostgreSQL", "\(error)", fix: fix)
        }
    }

    static func redis(on loop: EventLoop) async -> Finding {
        let fix = "apt-get install redis-server; not needed where ERRAND_REDIS_URL names a server elsewhere"
        guard let program = try? await BlockingPool.run({ Program.find("redis-server") }) else {
            return .failure("Redis", "redis-server was not found", fix: fix)
        }
        do {
            let text = try await version(of: program, on: loop)
            let number = text.firstRange(of: "v=").map { text[$0.upperBound...].prefix { $0 != " " } } ?? ""
            guard let major = number.split(separator: ".").first.flatMap({ Int($0) }), major >= 7 else {
                return .failure("Redis", "version \(number) is older than 7", fix: fix)
            }
            return .fine("Redis", "\(number) at \(program)")
        } catch {
            return .failure("Redis", "\(error)", fix: fix)
        }
    }

    static func openssl() async -> Finding {
        guard let program = try? await BlockingPool.run({ Program.find("openssl") }) else {
            let fix = "apt-get install openssl; not needed with ERRAND_TLS_CERT and ERRAND_TLS_KEY"
            return .failure("openssl", "not found: `errand up` makes its certificate with it", fix: fix)
        }
        return .fine("openssl", program)
    }

    static func agent(_ path: String?, on loop: EventLoop) async -> Finding {
        let name = "Claude Code"
        let onPath = try? await BlockingPool.run { Program.find("claude") }
        guard let found = path ?? (onPath ?? nil) else {
            let fix = "install Claude Code, or name its program in ERRAND_AGENT_PATH; command jobs run without it"
            return .warning(name, "the program claude was not found", fix: fix)
        }
        do {
            return .fine(name, "\(try await version(of: found, on: loop)) at \(found)")
        } catch {
            return .failure(name, "\(error)", fix: "name a working program in ERRAND_AGENT_PATH")
        }
    }

    private static func version(of program: String, on loop: EventLoop) async throws -> String {
        let name = program.split(separator: "/").last.map(String.init) ?? program
        let spec = ProcessSpec(
            path: program,
            arguments: [name, "--version"],
            environment: ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C"]
        )
        return oneLine(try await Program.require(spec, timeout: .seconds(20), on: loop))
    }
}
