import Bytes
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The API is killed while a refresh is answered.
    @Suite(.timeLimit(.minutes(5)))
    struct RefreshDeath {}
}

extension EndToEnd.RefreshDeath {
    /// Wherever the kill falls: before the commit, between it and the answer, or behind both.
    @Test func `item 20: who asks again after a crash gets the one successor, and the sign-in stands`() async throws {
        try await RunningErrand.with { errand in
            let address = "refresh@example.org"
            let password = try await Self.password(of: address, in: errand)
            for wait in [0, 500, 1_000, 2_000, 4_000] {
                let client = try await errand.newClient()
                let form = JSONObject([("email", .string(address)), ("password", .string(password))])
                let opened = try await client.expect([200], .post, "/v1/auth/login", .object(form))
                let parent = try #require(opened["refresh_token"]?.string)
                // Its connection is open by now, so that the request is under way at once.
                async let answer = try? Self.refresh(parent, client)
                await client.pause(.microseconds(wait))
                try await errand.crash(.api)
                let first = await answer
                try await errand.recovered(.api)
                let fresh = try await errand.newClient()
                let again = try await Self.refresh(parent, fresh)
                if let first { #expect(first == again, "after \(wait) us") }
                #expect(try await Self.refresh(parent, fresh) == again)
                // The control: the family went on by one generation, and its next one is another.
                let next = try await Self.refresh(again, fresh)
                #expect(next != again && next != parent)
            }
        }
    }

    /// The successor that is given for a refresh token.
    private static func refresh(_ token: String, _ client: ErrandClient) async throws -> String {
        let form = JSONObject([("refresh_token", .string(token))])
        let answer = try await client.expect([200], .post, "/v1/auth/refresh", .object(form))
        return try #require(answer["refresh_token"]?.string)
    }

    private static func password(of address: String, in errand: RunningErrand) async throws -> String {
        let data = errand.data
        let made = try await errand.errand(["admin", "user", "create", address, "--data", data, "--json"])
        #expect(made.status.isSuccess)
        return try #require(JSONReader.parse(Array(made.output.utf8))["password"]?.string)
    }
}
