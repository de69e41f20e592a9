import Bytes
import Glibc
import Operations
import Platform
import Testing

@Suite(.timeLimit(.minutes(2)))
struct DataDirectoryTests {
    @Test func `a data directory is made private and has its places`() async throws {
        let parent = try TemporaryDirectory()
        try await onLoop { loop in
            let data = try await DataDirectory.open("\(parent.path)/data", on: loop)
            let isRoot = SystemUser.isRoot
            #expect(try Files.status(data.root)?.mode == (isRoot ? 0o711 : 0o700))
            for path in [data.postgres, data.redis, data.api, data.worker, data.secrets] {
                #expect(try Files.status(path)?.mode == 0o700)
            }
            if let accounts = data.accounts {
                #expect(try Files.status(data.postgres)?.userID == accounts.database.userID)
                // What root will use again is root's; the worker's own state lies inside.
                #expect(try Files.status(data.worker)?.userID == 0)
                #expect(try Files.status(data.secrets)?.userID == 0)
                #expect(Set([accounts.database, accounts.api, accounts.worker].map(\.userID)).count == 3)
            }
            #expect(data.run.utf8.count + "/postgres/.s.PGSQL.5432.lock".utf8.count <= SocketAddress.longestPath)
        }
    }

    @Test func `a second process on the same data is refused and told who has it`() async throws {
        let parent = try TemporaryDirectory()
        let path = "\(parent.path)/data"
        try await onLoop { loop in
            do {
                let first = try await DataDirectory.open(path, on: loop)
                let error = await #expect(throws: DataDirectoryError.self) {
                    _ = try await DataDirectory.open(path, on: loop)
                }
                #expect(error?.description.contains("process \(getpid())") == true)
                await first.removeReady()
            }
            // The positive control: free again, as soon as no child that another test is starting holds a copy.
            while (try? await DataDirectory.open(path, on: loop)) == nil { await loop.sleep(.milliseconds(2)) }
        }
    }

    @Test func `a long path gets a short directory for its sockets`() async throws {
        let parent = try TemporaryDirectory()
        try await onLoop { loop in
            let long = parent.path + "/" + String(repeating: "long/", count: 30) + "data"
            let data = try await DataDirectory.open(long, on: loop)
            #expect(!data.run.hasPrefix(data.root))
            #expect(data.run.utf8.count < 75)
            try Files.removeTree(data.run)
        }
    }

    @Test func `a file is refused`() async throws {
        let parent = try TemporaryDirectory()
        try Files.writeAtomically("\(parent.path)/file", [1])
        try await onLoop { loop in
            _ = await #expect(throws: DataDirectoryError.self) {
                _ = try await DataDirectory.open("\(parent.path)/file", on: loop)
            }
        }
    }

    @Test(.enabled(if: SystemUser.isRoot, "only root gives a directory away"))
    func `somebody else's directory is refused`() async throws {
        let parent = try TemporaryDirectory()
        try await onLoop { loop in
            let other = try #require(SystemUser.find("nobody"))
            try Files.createDirectory("\(parent.path)/theirs")
            try Files.setOwner("\(parent.path)/theirs", userID: other.userID, groupID: other.groupID)
            _ = await #expect(throws: DataDirectoryError.self) {
                _ = try await DataDirectory.open("\(parent.path)/theirs", on: loop)
            }
        }
    }

    @Test func `item 30: secrets are made once, long and private`() async throws {
        let parent = try TemporaryDirectory()
        try await onLoop { loop in
            let data = try await DataDirectory.open("\(parent.path)/data", on: loop)
            let first = try await data.secret("admin")
            #expect(try await data.secret("admin") == first)
            #expect(try await data.secret("other") != first)
            #expect(first.reveal().count == 43)
            #expect(try Files.status("\(data.secrets)/admin")?.mode == 0o600)
        }
    }

    @Test func `the ready report is whole, private and goes away`() async throws {
        let parent = try TemporaryDirectory()
        try await onLoop { loop in
            let data = try await DataDirectory.open("\(parent.path)/data", on: loop)
            try await data.writeReady(
                ReadyReport(
                    url: "https://127.0.0.1:8443",
                    caFile: "/ca",
                    adminEmail: "a@b",
                    adminPasswordFile: "/p",
                    pid: 7,
                    postgresURL: Secret("postgresql://x"),
                    redisSocket: "/r",
                    apiPID: nil,
                    workerPIDs: [1, 2]
                )
            )
            #expect(try Files.status(data.readyPath)?.mode == 0o600)
            let value = try JSONReader.parse(try Files.readAll(data.readyPath, limit: 10_000))
            #expect(value["url"]?.string == "https://127.0.0.1:8443")
            #expect(value["postgres_url"]?.string == "postgresql://x")
            #expect(value["api_pid"]?.isNull == true)
            #expect(value["worker_pids"]?.array?.count == 2)
            await data.removeReady()
            #expect(!Files.exists(data.readyPath))
        }
    }

    @Test(.enabled(if: SystemUser.isRoot, "only root makes accounts"))
    func `accounts that several processes make at once are the same for all`() async throws {
        let prefix = "errand-t\(UInt16.random(in: 0 ... .max))"
        try await onLoop { loop in
            let found = try await withThrowingTaskGroup(of: ServiceAccounts.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await loop.run { try await ServiceAccounts.ensure(prefix: prefix, on: loop) } }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            let program = try #require(Program.find("userdel"))
            for name in ["\(prefix)-db", "\(prefix)-api", "\(prefix)-worker"] {
                let spec = ProcessSpec(path: program, arguments: ["userdel", name])
                _ = try await Program.require(spec, on: loop)
            }
            #expect(found.count == 1)
            #expect(Set(found.flatMap { [$0.database, $0.api, $0.worker] }.map(\.userID)).count == 3)
        }
    }

    @Test(.enabled(if: SystemUser.isRoot, "only root changes to another account"))
    func `started by root, a program runs as its account, also below a closed directory`() async throws {
        let parent = try TemporaryDirectory()
        for (name, mode) in [("open", UInt32(0o755)), ("closed", 0o700)] {
            try Files.createDirectory("\(parent.path)/\(name)", mode: mode)
            try await onLoop { loop in
                let data = try await DataDirectory.open("\(parent.path)/\(name)/data", on: loop)
                let accounts = try #require(data.accounts)
                try Files.writeAtomically("\(data.api)/mine", Array("text".utf8))
                try Files.setOwner("\(data.api)/mine", userID: accounts.api.userID, groupID: accounts.api.groupID)
                let path = data.childPath("\(data.api)/mine")
                let script = "id -u; cat \(path)"
                let spec = ProcessSpec(path: "/bin/sh", arguments: ["sh", "-c", script])
                let output = try await Program.require(data.running(spec, as: accounts.api), on: loop)
                #expect(output == "\(accounts.api.userID)\ntext")
                // Another account may not.
                let refused = try await Program.run(data.running(spec, as: accounts.worker), on: loop)
                #expect(!refused.status.isSuccess)
                if data.run.hasPrefix("/run/") { try Files.removeTree(data.run) }
            }
        }
    }
}
