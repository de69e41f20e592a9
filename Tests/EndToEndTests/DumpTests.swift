import Bytes
import Glibc
import HTTP
import Platform
import TestSupport
import Testing

/// What a dump of the database could hold a secret as.
private struct Needle {
    let name: String
    let forms: [String]

    init(_ name: String, _ secret: [UInt8]) {
        self.name = name
        // Base64 of a text inside a longer one begins at one of three places; what the neighbours decide is left out.
        let shifted = [0, 1, 2].map { shift -> String in
            let text = Base64.encode([UInt8](repeating: 0, count: shift) + secret)
            return String(text.dropFirst(shift == 0 ? 0 : shift + 2).prefix(while: { $0 != "=" }).dropLast(2))
        }
        let urlForms = shifted.map { $0.replacing("+", with: "-").replacing("/", with: "_") }
        let hex = Hex.encode(secret)
        forms =
            (String(validating: secret, as: UTF8.self).map { [$0] } ?? []) + [hex, hex.uppercased()] + shifted
            + urlForms
    }

    func isIn(_ dump: String) -> Bool { forms.contains { dump.contains($0) } }
}

extension EndToEnd.ModelKeys {
    @Test func `a dump of the database reveals no secret, in whatever form`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.member("dumped@example.org")
        let key = "sk-dumped-\(UInt64.random(in: 1 << 62 ... .max))"
        let form = JSONValue.object(JSONObject([("provider", .string("anthropic")), ("key", .string(key))]))
        try await client.expect([200], .put, "/v1/me/model-key?verify=false", form)
        let factor = try await secondFactor(of: client)
        let login = try await tokens(errand)
        let marker = "printed-\(UInt64.random(in: 1 << 62 ... .max))"
        let job = try await client.shell("printf \(marker)", in: try await client.project())
        #expect(try await client.finished(job).state == "succeeded")

        let issued = try await issued(errand, client)

        let dump = try await self.dump(errand)
        // They are there, as hashes.
        #expect(dump.contains(issued.key.prefix(11)) && dump.contains("COPY public.password_resets"))
        #expect(dump.count > 10_000 && dump.contains("CREATE TABLE public.model_keys"))
        // The controls: what is stored as it is, is found, as text and as bytes.
        #expect(Needle("argv", Array("printf \(marker)".utf8)).isIn(dump))
        #expect(dump.contains(Hex.encode(Array(marker.utf8))))
        var needles = [
            Needle("model key", Array(key.utf8)), Needle("refresh token", Array(login.refresh.utf8)),
            Needle("access token", Array(login.access.utf8)), Needle("password", Array(login.password.utf8)),
            Needle("one-time codes' secret", factor.secret),
            Needle("one-time codes' secret", Array(Base32.encode(factor.secret).utf8)),
            Needle("API key", Array(issued.key.utf8)), Needle("reset link", Array(issued.link.utf8)),
        ]
        needles += factor.recoveryCodes.flatMap { code in
            [Needle("recovery code", Array(code.utf8)), Needle("recovery code", Array(code.filter { $0 != "-" }.utf8))]
        }
        for (file, member) in [("master-keys.json", "key"), ("signing-keys.json", "seed")] {
            let text = try Files.readAll("\(errand.data)/api/\(file)", limit: 64 << 10)
            let encoded = try JSONReader.parse(text)["keys"]?.array?.compactMap { $0[member]?.string } ?? []
            #expect(!encoded.isEmpty, "\(file)")
            for text in encoded {
                needles.append(Needle(file, try #require(Base64.decodeURL(text))))
                needles.append(Needle(file, Array(text.utf8)))
            }
        }
        let worker = try JSONReader.parse(try Files.readAll("\(errand.data)/worker/state/worker.json", limit: 64 << 10))
        let texts = worker.object?.members.compactMap { $0.value.string }.filter { $0.utf8.count >= 40 } ?? []
        #expect(!texts.isEmpty)
        needles += texts.map { Needle("worker's credential", Array($0.utf8)) }
        for name in try Files.list("\(errand.data)/secrets") {
            let secret = try Files.readAll("\(errand.data)/secrets/\(name)", limit: 4_096).prefix { $0 != 10 }
            needles.append(Needle(name, Array(secret)))
        }
        for needle in needles { #expect(!needle.isIn(dump), "the dump holds the \(needle.name)") }
        try await client.expect([204], .delete, "/v1/me/model-key")
        try await client.expect([204], .delete, "/v1/me/totp")
    }

    /// An authenticator application whose secret and recovery codes are known.
    private func secondFactor(of client: ErrandClient) async throws -> (secret: [UInt8], recoveryCodes: [String]) {
        let begun = try await client.expect([201], .post, "/v1/me/totp")
        let secret = try #require(begun["secret"]?.string.flatMap { Base32.decode($0) })
        let code = OneTimeCode.of(secret, step: WallClock.now().milliseconds / 30_000)
        let form = JSONValue.object(JSONObject([("code", .string(code))]))
        let codes = try await client.expect([200], .post, "/v1/me/totp/confirm", form)["recovery_codes"]?.array ?? []
        try #require(codes.count == 10)
        return (secret, codes.compactMap(\.string))
    }

    /// A sign-in whose tokens are known.
    private func tokens(_ errand: RunningErrand) async throws -> (access: String, refresh: String, password: String) {
        let made = try await errand.errand(
            ["admin", "user", "create", "tokens@example.org", "--data", errand.data, "--json"]
        )
        let password = try #require(try JSONReader.parse(Array(made.output.utf8))["password"]?.string)
        let form = JSONObject([("email", .string("tokens@example.org")), ("password", .string(password))])
        let answer = try await errand.newClient().expect([200], .post, "/v1/auth/login", .object(form))
        // Exchanged once, so that the sealed successor is stored too.
        let first = try #require(answer["refresh_token"]?.string)
        let exchange = JSONValue.object(JSONObject([("refresh_token", .string(first))]))
        let second = try await errand.newClient().expect([200], .post, "/v1/auth/refresh", exchange)
        return (
            try #require(second["access_token"]?.string), try #require(second["refresh_token"]?.string), password
        )
    }

    /// The secrets of an API key and of a reset link that stand.
    private func issued(_ errand: RunningErrand, _ client: ErrandClient) async throws -> (key: String, link: String) {
        let teams = try await client.expect([200], .get, "/v1/teams")
        let team = try #require(teams["items"]?.array?.first?["id"]?.string)
        let form = JSONValue.object(
            JSONObject([("name", .string("dumped")), ("scopes", .array([.string("jobs:read")]))])
        )
        let key = try await client.expect([201], .post, "/v1/teams/\(team)/api-keys", form)
        let reset = try await errand.errand(
            ["admin", "user", "reset", "tokens@example.org", "--data", errand.data, "--json"]
        )
        let link = try #require(try JSONReader.parse(Array(reset.output.utf8))["link"]?.string)
        return (
            try #require(key["secret"]?.string), String(try #require(link.split(separator: "=").last))
        )
    }

    /// Everything, as the superuser of the cluster has it.
    private func dump(_ errand: RunningErrand) async throws -> String {
        let url = try #require(try await errand.ready()["postgres_url"]?.string)
        let file = "\(errand.data)/secrets/postgres-errand_super"
        let password = String(decoding: try Files.readAll(file, limit: 1_024).prefix { $0 != 10 }, as: UTF8.self)
        let rest = try #require(url.split(separator: "@", maxSplits: 1).last)
        let dumped = try await errand.run(["PGPASSWORD=\(password)", "pg_dump", "postgresql://errand_super@\(rest)"])
        try #require(dumped.status.isSuccess, "\(dumped.errors)")
        return dumped.output
    }
}
