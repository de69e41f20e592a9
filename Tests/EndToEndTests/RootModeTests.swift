import Bytes
import Glibc
import HTTP
import Platform
import TestSupport
import Testing

/// Whether this machine's administrator runs the tests: only then do the parts run as different users.
let isRoot = geteuid() == 0

extension EndToEnd.Unharmed {
    @Test(.enabled(if: isRoot, "only an installation started by root has users to tell apart"))
    func `only the supervisor and the sandbox server are root`() async throws {
        let errand = try SharedInstallation.get()
        var users: [RunningErrand.Part: UInt32] = [:]
        for part in RunningErrand.Part.allCases {
            let process = try #require(ProcessEntry(pid: try await errand.pid(of: part)))
            #expect(process.users.count == 4 && Set(process.users).count == 1 && !process.users.contains(0), "\(part)")
            users[part] = process.users.first
        }
        #expect(users[.postgres] == users[.redis] && users[.standin] == users[.worker])
        #expect(Set([users[.postgres], users[.api], users[.worker]]).count == 3)
        let supervisor = try await errand.pid()
        let roots = ProcessTable.tree(of: supervisor).filter { $0.users.contains(0) }
        #expect(roots.contains { $0.pid == supervisor })
        for process in roots where process.pid != supervisor {
            #expect(process.arguments.first?.hasSuffix("errand-sandbox") == true, "\(process)")
        }
    }

    @Test(.enabled(if: isRoot, "only an installation started by root has users to tell apart"))
    func `jobs run as users of the projects' range, each project as its own`() async throws {
        let client = try await SharedInstallation.get().administrator()
        var users: [UInt32] = []
        for marker in ["8640001", "8640002"] {
            let job = try await client.shell("echo begun; sleep \(marker); :", in: try await client.project())
            try await JobViewer(job, client).until(stdout: "begun\n")
            let processes = ProcessTable.all().filter { $0.arguments.contains { $0.contains(marker) } }
            #expect(!processes.isEmpty)
            for process in processes { #expect(Set(process.users).count == 1, "\(process)") }
            users += Set(processes.flatMap(\.users))
            try await client.expect([200, 202], .post, "/v1/jobs/\(job)/cancel")
            #expect(try await client.finished(job).state == "cancelled")
        }
        #expect(users.count == 2 && Set(users).count == 2, "\(users)")
        #expect(users.allSatisfy { (1_300_000..<1_365_536).contains($0) }, "\(users)")
    }

    @Test(.enabled(if: isRoot, "only an installation started by root has users to tell apart"))
    func `the worker holds nothing of the database`() async throws {
        let errand = try SharedInstallation.get()
        let url = try #require(try await errand.ready()["postgres_url"]?.string)
        let password = try #require(url.split(separator: ":").dropFirst(2).first?.split(separator: "@").first)
        func environment(of part: RunningErrand.Part) async throws -> String {
            let pid = try await errand.pid(of: part)
            return String(decoding: try Files.readAll("/proc/\(pid)/environ", limit: 1 << 20), as: UTF8.self)
        }
        // The API has it, from a file of its own.
        let handed = "\(errand.data)/handed/api/ERRAND_DATABASE_URL"
        #expect(String(decoding: try Files.readAll(handed, limit: 4_096), as: UTF8.self).contains(password))
        #expect(try await environment(of: .api).contains("ERRAND_DATABASE_URL_FILE=\(handed)"))
        let worker = try await environment(of: .worker)
        #expect(worker.contains("ERRAND_API_URL="))
        for word in [String(password), "postgres", "DATABASE", "ANTHROPIC", "redis"] { #expect(!worker.contains(word)) }
        let pid = try await errand.pid(of: .worker)
        let open = try Files.list("/proc/\(pid)/fd").compactMap { Files.linkTarget("/proc/\(pid)/fd/\($0)") }
        #expect(open.contains { $0.hasPrefix(errand.data + "/worker/") })
        for part in ["postgres", "redis", "secrets", "api", "run"] {
            #expect(!open.contains { $0.hasPrefix("\(errand.data)/\(part)") }, "\(open)")
        }
    }

    @Test(.enabled(if: isRoot, "only an installation started by root has users to tell apart"))
    func `the worker's user reaches neither the databases nor the secrets`() async throws {
        let errand = try SharedInstallation.get()
        let socket = try #require(try await errand.ready()["redis_socket"]?.string)
        let run = socket.split(separator: "/").dropLast(2).joined(separator: "/")
        for place in ["/\(run)/postgres", "/\(run)/redis", "\(errand.data)/secrets", "\(errand.data)/api"] {
            #expect(try await list(place, as: .worker) == false)
        }
        #expect(try await list("/\(run)/postgres", as: .api))
        #expect(try await list("\(errand.data)/worker/state", as: .worker))
    }

    private func list(_ place: String, as part: RunningErrand.Part) async throws -> Bool {
        let errand = try SharedInstallation.get()
        let entry = try #require(ProcessEntry(pid: try await errand.pid(of: part)))
        let (user, group) = (try #require(entry.users.first), try #require(entry.groups.first))
        let change = ["setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups"]
        return try await errand.run(change + ["ls", place]).status.isSuccess
    }
}
