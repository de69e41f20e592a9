import Bytes
import Glibc
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd.Unharmed {
    @Test func `the report names everything that runs`() async throws {
        let errand = try SharedInstallation.get()
        let ready = try await errand.ready()
        let names = ["url", "ca_file", "admin_email", "admin_password_file", "pid", "postgres_url", "redis_socket"]
        #expect(ready.object?.members.map(\.name) == names + ["api_pid", "worker_pids"])
        #expect(ready["url"]?.string?.hasPrefix("https://127.0.0.1:") == true)
        #expect(ready["pid"]?.integer == Int64(try await errand.pid()))
        #expect(ready["api_pid"]?.integer == Int64(try await errand.pid(of: .api)))
        #expect(ready["worker_pids"]?.array == [.integer(Int64(try await errand.pid(of: .worker)))])
        #expect(try await errand.redis("PING") == "+PONG\r\n")
        let url = try #require(ready["postgres_url"]?.string)
        let answer = try await errand.run(["psql", "--no-psqlrc", "-tAc", "select current_user", url])
        #expect(answer.output == "errand_app", "\(answer.errors)")
        let check = try await errand.errand(["up", "--data", errand.data, "--check"])
        #expect(check.output == "ready \(try #require(ready["url"]?.string))")
    }

    @Test func `item 30: secrets can be read by their owners alone`() async throws {
        let data = try SharedInstallation.get().data
        var files = ["\(data)/ready.json", "\(data)/tls/ca-key.pem", "\(data)/tls/server-key.pem"]
        for place in ["secrets", "api", "worker/state"] {
            files += try Files.list("\(data)/\(place)").map { "\(data)/\(place)/\($0)" }
        }
        #expect(
            files.contains { $0.hasSuffix("/signing-keys.json") } && files.contains { $0.hasSuffix("/worker.json") }
        )
        for file in files {
            let status = try #require(try Files.status(file))
            #expect(status.mode & 0o077 == 0, "\(file) has mode \(String(status.mode, radix: 8))")
        }
        for place in ["secrets", "api", "worker", "postgres", "redis"] {
            let status = try #require(try Files.status("\(data)/\(place)"))
            // The worker's user passes through to its own state below.
            #expect(status.mode & 0o077 == 0 || (place == "worker" && status.mode & 0o077 == 0o011), "\(place)")
        }
        #expect(try #require(try Files.status("\(data)/tls/ca.pem")).mode & 0o004 == 0o004)
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func `the certificate is good for the names of this machine`(host: String) async throws {
        #expect(try await health(as: host) == 200)
    }

    @Test func `the certificate is good for no other name`() async throws {
        await #expect(throws: (any Error).self) { try await health(as: "other.example") }
        #expect(try await health(as: "localhost") == 200)
    }

    @Test func `a replaced certificate is served after SIGHUP`() async throws {
        let errand = try SharedInstallation.get()
        let viewerClient = try await errand.administrator()
        let job = try await viewerClient.shell("echo begun; sleep 600", in: try await viewerClient.project())
        let viewer = JobViewer(job, viewerClient)
        try await viewer.until(stdout: "begun\n")
        await #expect(throws: (any Error).self) { try await health(as: "reloaded.example") }
        try await replaceCertificate(names: "DNS:reloaded.example, DNS:localhost, IP:127.0.0.1")
        await errand.signal(SIGHUP)
        try await errand.logged("certificate reloaded")
        #expect(try await health(as: "reloaded.example") == 200)
        #expect(try await health(as: "127.0.0.1") == 200)
        try await viewerClient.expect([200, 202], .post, "/v1/jobs/\(job)/cancel")
        try await viewer.finish()
        #expect(await viewer.cuts == 0)
    }

    private func health(as host: String) async throws -> Int {
        let errand = try SharedInstallation.get()
        let ready = try await errand.ready()
        let (url, authority) = (try #require(ready["url"]?.string), try #require(ready["ca_file"]?.string))
        let client = try ErrandClient(url: url, authority: authority, host: host, on: errand.loop)
        return try await client.send(.get, "/health").status
    }

    /// Puts a certificate by the installation's authority in place, the key first, owned as the old ones are.
    private func replaceCertificate(names: String) async throws {
        let errand = try SharedInstallation.get()
        let tls = "\(errand.data)/tls"
        let owner = try #require(try Files.status("\(tls)/server-key.pem"))
        try Files.writeAtomically("\(tls)/names", Array("subjectAltName=\(names)\n".utf8), mode: 0o600)
        let commands: [[String]] = [
            [
                "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
                "-subj", "/CN=reloaded", "-keyout", "\(tls)/new-key.pem", "-out", "\(tls)/new.csr",
            ],
            [
                "openssl", "x509", "-req", "-in", "\(tls)/new.csr", "-CA", "\(tls)/ca.pem", "-CAkey",
                "\(tls)/ca-key.pem",
                "-set_serial", "0x7357", "-days", "2", "-extfile", "\(tls)/names", "-out", "\(tls)/new.pem",
            ],
        ]
        for command in commands {
            let outcome = try await errand.run(command)
            try #require(outcome.status.isSuccess, "\(outcome.errors)")
        }
        try Files.setMode("\(tls)/new-key.pem", 0o600)
        try Files.setMode("\(tls)/new.pem", 0o644)
        if isRoot { try Files.setOwner("\(tls)/new-key.pem", userID: owner.userID, groupID: owner.groupID) }
        try Files.rename("\(tls)/new-key.pem", to: "\(tls)/server-key.pem")
        try Files.rename("\(tls)/new.pem", to: "\(tls)/server.pem")
    }
}
