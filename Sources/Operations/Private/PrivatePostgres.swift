import Glibc
package import Platform

/// The PostgreSQL cluster of `errand up`: made when missing, reached over a Unix socket only; loop-confined.
package final class PrivatePostgres {
    /// Who connects.
    package enum Role: String, CaseIterable, Sendable {
        /// Owns the tables and runs the migrations.
        case owner = "errand_owner"
        /// The servers; row-level security applies.
        case app = "errand_app"
        /// Inserts audit entries.
        case audit = "errand_audit"
        /// Administers the cluster.
        case superuser = "errand_super"
    }

    /// The database of the installation.
    package static let database = "errand"
    private static let port = 5432

    private let data: DataDirectory
    private let log: StructuredLog
    private let loop: EventLoop
    private let programs: PostgresPrograms
    private let cluster: String
    private let socketDirectory: String
    private let passwords: [Role: Secret]

    /// Finds the programs, stops a server left by an earlier run and makes the cluster when it is missing.
    package static func prepare(
        in data: DataDirectory,
        log: StructuredLog,
        loop: EventLoop
    ) async throws -> PrivatePostgres {
        let programs = try await BlockingPool.run { try PostgresPrograms.find() }
        var passwords: [Role: Secret] = [:]
        for role in Role.allCases {
            let secret = try await data.secret("postgres-\(role.rawValue)")
            log.conceal(secret)
            passwords[role] = secret
        }
        let postgres = PrivatePostgres(data, log: log, loop: loop, programs: programs, passwords: passwords)
        try await postgres.stopPredecessor()
        try await postgres.initialize()
        return postgres
    }

    private init(
        _ data: DataDirectory,
        log: StructuredLog,
        loop: EventLoop,
        programs: PostgresPrograms,
        passwords: [Role: Secret]
    ) {
        self.data = data
        self.log = log
        self.loop = loop
        self.programs = programs
        self.passwords = passwords
        cluster = "\(data.postgres)/\(programs.major)"
        socketDirectory = "\(data.run)/postgres"
    }

    /// The server for the supervisor.
    package var service: Service {
        Service(
            name: "postgres",
            // Fast shutdown: clients are disconnected, a checkpoint is written.
            stopSignal: SIGINT,
            grace: .seconds(60),
            makeSpec: { [self] in serverSpec() },
            isReady: { [self] in await isReady() }
        )
    }

    /// The connection string of a role, over the socket.
    package func url(role: Role) -> Secret {
        let password = passwords[role]?.reveal() ?? ""
        let host = socketDirectory.utf8.map { byte in
            byte == UInt8(ascii: "/") ? "%2F" : Self.isPlain(byte) ? String(UnicodeScalar(byte)) : Self.escaped(byte)
        }.joined()
        return Secret("postgresql://\(role.rawValue):\(password)@/\(Self.database)?host=\(host)&port=\(Self.port)")
    }

    /// Makes the roles, their passwords and the database, as far as they are missing; the server must be ready.
    package func bootstrap() async throws {
        try await runSQL(rolesScript(), database: "postgres")
        let isThere = try await runSQL(
            "select 1 from pg_database where datname = '\(Self.database)';",
            database: "postgres"
        )
        if isThere.isEmpty {
            try await runSQL(
                "create database \(Self.database) owner \(Role.owner.rawValue);",
                database: "postgres"
            )
        }
    }

    private func rolesScript() -> String {
        // A failed statement must not carry a password into the server's log.
        var script = "set log_min_error_statement = 'panic';\nset log_statement = 'none';\n"
        for role in [Role.owner, .app, .audit] {
            let name = role.rawValue
            let password = passwords[role]?.reveal() ?? ""
            script += """
                do $$ begin
                    if not exists (select from pg_roles where rolname = '\(name)') then create role \(name); end if;
                end $$;
                alter role \(name) with login nosuperuser nocreatedb nocreaterole nobypassrls noreplication
                    password '\(password)';

                """
        }
        return script
    }

    @discardableResult
    private func runSQL(_ script: String, database: String) async throws -> String {
        let arguments = [
            "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
            "--host=\(socketDirectory)", "--port=\(Self.port)", "--username=\(Role.superuser.rawValue)",
            "--dbname=\(database)", "--file=-",
        ]
        var spec = ProcessSpec(path: programs.path("psql"), arguments: arguments)
        spec.environment = [
            "PGPASSWORD": passwords[.superuser]?.reveal() ?? "", "LC_ALL": "C", "PGCONNECT_TIMEOUT": "10",
        ]
        return try await Program.require(spec, input: Array(script.utf8), on: loop)
    }

    private func isReady() async -> Bool {
        let arguments = ["pg_isready", "--quiet", "--host=\(socketDirectory)", "--port=\(Self.port)", "--timeout=5"]
        let spec = ProcessSpec(path: programs.path("pg_isready"), arguments: arguments)
        return (try? await Program.run(spec, timeout: .seconds(10), on: loop))?.status.isSuccess ?? false
    }

    private func serverSpec() -> ProcessSpec {
        let settings = [
            "listen_addresses=", "unix_socket_directories=\(socketDirectory)",
            // The directory keeps strangers out, the password tells the roles apart.
            "unix_socket_permissions=0777", "port=\(Self.port)", "max_connections=200", "shared_buffers=128MB",
            "max_wal_size=1GB", "password_encryption=scram-sha-256", "log_min_messages=warning",
            "log_checkpoints=off", "log_timezone=UTC", "timezone=UTC", "log_line_prefix=%p ",
            // Queries here are short; compiling them costs more than it gains.
            "jit=off",
        ]
        let path = programs.path("postgres")
        // By its whole path, from which the server finds its libraries.
        let arguments = [path, "-D", data.childPath(cluster)] + settings.flatMap { ["-c", $0] }
        var spec = ProcessSpec(path: path, arguments: arguments)
        spec.environment = ["LC_ALL": "C.UTF-8", "TZ": "UTC"]
        (spec.standardOutput, spec.standardError) = (.pipe, .pipe)
        spec.workingDirectory = "/"
        return data.running(spec, as: data.accounts?.database, deathSignal: "INT", mayGainPrivileges: false)
    }

    /// Makes the cluster beside its place and moves it there whole: a half-made one is never taken for one.
    private func initialize() async throws {
        let cluster = self.cluster
        if try await BlockingPool.run({ Files.exists("\(cluster)/PG_VERSION") }) { return }
        log.info("making a PostgreSQL cluster", .text("directory", cluster))
        let fresh = "\(cluster).new"
        let passwordFile = "\(data.run)/postgres/initial"
        let password = passwords[.superuser]?.reveal() ?? ""
        let owner = data.accounts?.database
        try await BlockingPool.run {
            try Files.removeTree(fresh)
            try Files.writeAtomically(passwordFile, Array(password.utf8), mode: 0o600)
            if let owner { try Files.setOwner(passwordFile, userID: owner.userID, groupID: owner.groupID) }
        }
        let arguments = [
            "initdb", "--pgdata=\(data.childPath(fresh))", "--username=\(Role.superuser.rawValue)",
            "--pwfile=\(passwordFile)", "--auth-local=scram-sha-256", "--auth-host=reject", "--encoding=UTF8",
            "--locale=C.UTF-8", "--data-checksums", "--no-instructions",
        ]
        var spec = ProcessSpec(path: programs.path("initdb"), arguments: arguments)
        spec.environment = ["LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "\(programs.directory):/usr/bin:/bin"]
        spec.workingDirectory = "/"
        let wrapped = data.running(spec, as: owner, deathSignal: "KILL", mayGainPrivileges: false)
        let outcome = await Result { try await Program.require(wrapped, timeout: .seconds(120), on: loop) }
        try await BlockingPool.run { try Files.remove(passwordFile) }
        _ = try outcome.get()
        try await BlockingPool.run { try Files.rename(fresh, to: cluster) }
    }

    private func stopPredecessor() async throws {
        let path = "\(cluster)/postmaster.pid"
        let text = try? await BlockingPool.run { String(decoding: try Files.readAll(path, limit: 4096), as: UTF8.self) }
        guard let pid = text?.split(separator: "\n").first.flatMap({ Int32($0) }), pid > 1 else { return }
        try await Predecessor(log: log, loop: loop).stop(
            pid: pid,
            program: "postgres",
            directory: cluster,
            signals: [(SIGINT, .seconds(30)), (SIGQUIT, .seconds(10)), (SIGKILL, .seconds(5))]
        )
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func escaped(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "%" + (byte < 16 ? "0" : "") + digits
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
