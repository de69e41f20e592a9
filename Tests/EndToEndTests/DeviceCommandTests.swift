import Bytes
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd.Unharmed {
    @Test func `devices are listed and signed out by the command line`() async throws {
        let errand = try SharedInstallation.get()
        let email = "devices@example.org"
        let made = try await errand.errand(["admin", "user", "create", email, "--json", "--data", errand.data])
        let password = try #require(try JSONReader.parse(Array(made.output.utf8))["password"]?.string)
        let (here, lost) = (try await errand.newClient(), try await errand.newClient())
        try await here.signIn(email, password)
        try await lost.signIn(email, password)
        var environment = try await errand.clientEnvironment()
        environment["ERRAND_TOKEN"] = await here.token ?? ""

        let list = try await errand.errand(["account", "devices", "--json"], environment)
        let devices = try #require(try JSONReader.parse(Array(list.output.utf8)).array)
        #expect(devices.count == 2)
        let other = try #require(devices.first { $0["current"]?.bool == false }?["id"]?.string)
        let table = try await errand.errand(["account", "devices"], environment)
        #expect(table.output.contains(other) && table.output.contains("127.0.0.1"))
        #expect(try await errand.errand(["account", "revoke", other], environment).status.isSuccess)
        #expect(try await isRefused(lost))
        let again = try await errand.errand(["account", "revoke", other], environment)
        #expect(again.status == .exited(3) && again.errors.contains("device_not_found"))
        #expect(try await errand.errand(["account", "revoke", "phone"], environment).status == .exited(2))

        try await lost.signIn(email, password)
        let all = try await errand.errand(["account", "revoke", "--all"], environment)
        #expect(all.status.isSuccess && all.errors.contains("1 other"))
        #expect(try await isRefused(lost))
        #expect(try await here.send(.get, "/v1/me").status == 200)
    }

    @Test func `the administrator sees where somebody is signed in, and ends it`() async throws {
        let errand = try SharedInstallation.get()
        let email = "watched@example.org"
        let data = ["--data", errand.data]
        let made = try await errand.errand(["admin", "user", "create", email, "--json"] + data)
        let password = try #require(try JSONReader.parse(Array(made.output.utf8))["password"]?.string)
        let (first, second) = (try await errand.newClient(), try await errand.newClient())
        try await first.signIn(email, password)
        try await second.signIn(email, password)

        let list = try await errand.errand(["admin", "device", "list", email, "--json"] + data)
        let devices = try #require(try JSONReader.parse(Array(list.output.utf8)).array)
        #expect(devices.count == 2 && devices.allSatisfy { $0["address"]?.string == "127.0.0.1" })
        let newest = try #require(devices.first?["id"]?.string)
        let table = try await errand.errand(["admin", "device", "list", email] + data)
        #expect(table.output.contains(newest))
        #expect(try await errand.errand(["admin", "device", "revoke", email, newest] + data).status.isSuccess)
        #expect(try await isRefused(second))
        #expect(try await first.send(.get, "/v1/me").status == 200)
        let again = try await errand.errand(["admin", "device", "revoke", email, newest] + data)
        #expect(again.status == .exited(3) && again.errors.contains("not signed in"))

        let unasked = try await errand.errand(["admin", "device", "revoke", email, "--all"] + data)
        #expect(unasked.status == .exited(2))
        #expect(
            try await errand.errand(["admin", "device", "revoke", email, "--all", "--yes"] + data).status.isSuccess
        )
        #expect(try await isRefused(first))
        let unknown = try await errand.errand(["admin", "device", "list", "nobody@example.org"] + data)
        #expect(unknown.status == .exited(3))
        let log = try await errand.errand(["admin", "audit", "tail"] + data)
        #expect(log.output.contains(newest))
    }

    /// Whether a client is refused within the second that a revocation may take to be known on all loops.
    private func isRefused(_ client: ErrandClient) async throws -> Bool {
        let start = Instant.now
        while try await client.send(.get, "/v1/me").status != 401 {
            guard Instant.now - start < .seconds(1) else { return false }
        }
        return true
    }
}
