import Bytes
import HTTP
import Platform
import TestSupport
import Testing
import Transport

extension EndToEnd.Unharmed {
    @Test func `accounts are made, listed, disabled and enabled by the administrator's command`() async throws {
        let errand = try SharedInstallation.get()
        let data = ["--data", errand.data]
        let email = "Made.By.Hand@example.org"
        let made = try await errand.errand(["admin", "user", "create", email, "--json"] + data)
        let password = try #require(try JSONReader.parse(Array(made.output.utf8))["password"]?.string)
        let twice = try await errand.errand(["admin", "user", "create", email] + data)
        #expect(twice.status == .exited(1) && twice.errors.contains("already"))
        let client = try await errand.newClient()
        try await client.signIn(email, password)
        let me = try await client.expect([200], .get, "/v1/me")
        #expect(me["email"]?.string == email.lowercased())

        let job = try await client.shell("echo begun; sleep 600", in: try await client.project())
        let viewer = JobViewer(job, client)
        try await viewer.until(stdout: "begun\n")
        #expect(try await errand.errand(["admin", "user", "disable", email] + data).status.isSuccess)
        let told = Instant.now
        // Asked all the while, so that no verdict that the server keeps for a moment expires for want of use.
        while Instant.now - told < .seconds(1) { _ = try await client.send(.get, "/v1/me") }
        for _ in 1...10 { #expect(try await client.send(.get, "/v1/me").status == 401) }
        await #expect(throws: ClientError.self) { try await client.signIn(email, password) }
        // The stream is cut soon, and refused when its viewer comes again.
        let refusal = await #expect(throws: HTTPClientError.self) { try await viewer.finish() }
        guard case .refusedUpgrade(status: 401, _, _)? = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(await viewer.cuts == 1)
        #expect(Instant.now - told < .seconds(20))
        #expect(try await isDisabled(email, errand) == true)

        #expect(try await errand.errand(["admin", "user", "disable", email, "--enable"] + data).status.isSuccess)
        #expect(try await isDisabled(email, errand) == false)
        try await client.signIn(email, password)
        try await client.expect([200, 202], .post, "/v1/jobs/\(job)/cancel")
        #expect(try await client.finished(job).state == "cancelled")
    }

    private func isDisabled(_ email: String, _ errand: RunningErrand) async throws -> Bool? {
        let list = try await errand.errand(["admin", "user", "list", "--json", "--data", errand.data])
        let users = try JSONReader.parse(Array(list.output.utf8)).array ?? []
        return users.first { $0["email"]?.string == email.lowercased() }?["is_disabled"]?.bool
    }
}
