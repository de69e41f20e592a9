import Bytes
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd.Unharmed {
    @Test func `an API key is made, used, rotated and revoked by the command line, and runs a job`() async throws {
        let errand = try SharedInstallation.get()
        let owner = try await errand.member("keyholder@example.org")
        let project = try await owner.project()
        var mine = try await errand.clientEnvironment()
        mine["ERRAND_TOKEN"] = await owner.token ?? ""
        func json(_ words: String...) async throws -> JSONValue {
            let outcome = try await errand.errand(words + ["--json"], mine)
            #expect(outcome.status.isSuccess, "\(words): \(outcome.errors)")
            return try JSONReader.parse(Array(outcome.output.utf8))
        }
        let made = try await json(
            "key",
            "create",
            "ci",
            "--scope",
            "jobs:run",
            "--scope",
            "jobs:read",
            "--scope",
            "projects:read",
            "--expires",
            "90d"
        )
        let id = try #require(made["key"]?["id"]?.string)
        let secret = try #require(made["secret"]?.string)
        #expect(secret.hasPrefix("errand_") && secret.utf8.count == 56)
        var robot = mine
        robot["ERRAND_TOKEN"] = secret
        let run = try await errand.errand(["run", "--project", project, "--command", "--", "echo", "by key"], robot)
        #expect(run.status.isSuccess && run.output.contains("by key"), "\(run.errors)")
        let more = try await errand.errand(["key", "create", "more", "--scope", "jobs:read"], robot)
        #expect(more.status == .exited(4) && more.errors.contains("API key"))
        let listed = try await errand.errand(["key", "list"], mine)
        #expect(listed.output.contains(secret.prefix(11) + "…") && !listed.output.contains(secret))

        let rotated = try await json("key", "rotate", id, "--overlap", "0")
        let second = try #require(rotated["secret"]?.string)
        #expect(try await errand.errand(["ps"], robot).status == .exited(4))
        robot["ERRAND_TOKEN"] = second
        #expect(try await errand.errand(["ps"], robot).status.isSuccess)
        let next = try #require(rotated["key"]?["id"]?.string)
        #expect(try await errand.errand(["key", "revoke", next], mine).status.isSuccess)
        #expect(try await errand.isRefused(second))
        #expect(try await errand.errand(["key", "create", "x", "--scope", "everything"], mine).status == .exited(2))
    }

    @Test func `a service account works by its keys, which end with it`() async throws {
        let errand = try SharedInstallation.get()
        let owner = try await errand.member("servant@example.org")
        _ = try await owner.project()
        var mine = try await errand.clientEnvironment()
        mine["ERRAND_TOKEN"] = await owner.token ?? ""
        func run(_ words: String...) async throws -> String {
            let outcome = try await errand.errand(words, mine)
            #expect(outcome.status.isSuccess, "\(words): \(outcome.errors)")
            return String(outcome.output.prefix { $0 != "\n" })
        }
        let account = try await run("service-account", "create", "deployer", "--role", "member")
        #expect(account.hasPrefix("svc_"))
        let secret = try await run(
            "key",
            "create",
            "deploy",
            "--scope",
            "projects:read",
            "--service-account",
            account
        )
        let listing = try await errand.newClient()
        await listing.use(token: secret)
        #expect(try await listing.send(.get, "/v1/projects").status == 200)
        #expect(try await listing.send(.get, "/v1/jobs").status == 403)
        #expect(try await errand.errand(["service-account", "list"], mine).output.contains(account))
        _ = try await run("service-account", "delete", account)
        #expect(try await errand.isRefused(secret))
    }

    @Test func `a password is changed, and reset by a link of the administrator's, by the command line`() async throws {
        let errand = try SharedInstallation.get()
        let email = "forgetful@example.org"
        let made = try await errand.errand(["admin", "user", "create", email, "--json", "--data", errand.data])
        let first = try #require(try JSONReader.parse(Array(made.output.utf8))["password"]?.string)
        let (here, lost) = (try await errand.newClient(), try await errand.newClient())
        try await here.signIn(email, first)
        try await lost.signIn(email, first)
        var mine = try await errand.clientEnvironment()
        mine["ERRAND_TOKEN"] = await here.token ?? ""
        let directory = try TestDirectory.make("password")
        defer { try? Files.removeTree(directory) }
        func file(_ name: String, _ text: String) throws -> String {
            try Files.writeAtomically("\(directory)/\(name)", Array("\(text)\n".utf8))
            return "\(directory)/\(name)"
        }
        let (second, third) = ("copper lantern by the quay", "eleven ships and no anchor")
        func change(to new: String, from current: String) async throws -> ProgramOutcome {
            let files = ["--current-file", try file("current", current), "--new-file", try file("new", new)]
            return try await errand.errand(["account", "password"] + files, mine)
        }
        let weak = try await change(to: "password1234", from: first)
        #expect(weak.status == .exited(2) && weak.errors.contains("guessed first"), "\(weak.errors)")
        #expect(try await change(to: second, from: "not this one").status == .exited(4))
        #expect(try await change(to: second, from: first).status.isSuccess)
        #expect(try await here.send(.get, "/v1/me").status == 200)
        #expect(try await errand.isRefused(await lost.token ?? ""))
        await #expect(throws: ClientError.self) { try await lost.signIn(email, first) }
        let notices = try await errand.errand(["account", "notices"], mine)
        #expect(notices.output.contains("password_changed"))

        let issued = try await errand.errand(["admin", "user", "reset", email, "--data", errand.data])
        #expect(issued.status.isSuccess, "\(issued.errors)")
        let link = String(issued.output.prefix { $0 != "\n" })
        #expect(link.contains("/reset?token=erp_"))
        func reset() async throws -> ProgramOutcome {
            let files = ["--link-file", try file("link", link), "--new-file", try file("new", third)]
            return try await errand.errand(["account", "reset"] + files, ["ERRAND_CA": mine["ERRAND_CA"] ?? ""])
        }
        let used = try await reset()
        #expect(used.status.isSuccess, "\(used.errors)")
        #expect(try await errand.isRefused(await here.token ?? ""))
        try await lost.signIn(email, third)
        let again = try await reset()
        #expect(again.status == .exited(4) && again.errors.contains("reset link"))
        let nobody = try await errand.errand(["admin", "user", "reset", "nobody@example.org", "--data", errand.data])
        #expect(nobody.status == .exited(3))
        // No link for an account that it would not open.
        for (words, isGiven) in [([email], false), ([email, "--enable"], true)] {
            let changed = try await errand.errand(["admin", "user", "disable"] + words + ["--data", errand.data])
            #expect(changed.status.isSuccess, "\(changed.errors)")
            let issued = try await errand.errand(["admin", "user", "reset", email, "--data", errand.data])
            #expect(issued.status.isSuccess == isGiven && issued.output.contains("erp_") == isGiven)
            #expect(issued.errors.contains("disabled") != isGiven, "\(issued.errors)")
        }
    }

    @Test func `item 12: signing keys are rotated and removed beside the running server`() async throws {
        let errand = try SharedInstallation.get()
        let data = ["--data", errand.data, "--json"]
        func keys(_ words: String...) async throws -> [JSONValue] {
            let outcome = try await errand.errand(["admin", "key"] + words + data)
            #expect(outcome.status.isSuccess, "\(words): \(outcome.errors)")
            return try JSONReader.parse(Array(outcome.output.utf8)).array ?? []
        }
        func named(_ state: String, _ keys: [JSONValue]) -> [String] {
            keys.filter { $0["state"]?.string == state }.compactMap { $0["kid"]?.string }
        }
        let before = try await errand.member("rotator@example.org")
        let first = try #require(named("signs", try await keys("list")).first)
        let rotated = try await keys("rotate", "--at-once")
        let second = try #require(named("signs", rotated).first)
        #expect(second != first && named("verifies", rotated) == [first])
        #expect(try await errand.publishes(second))
        let after = try await errand.client(of: "rotated@example.org", signedBy: second)
        #expect(try await before.send(.get, "/v1/me").status == 200)
        #expect(try await after.send(.get, "/v1/me").status == 200)
        // Known to somebody else: whatever it signed is refused, and a new one signs.
        let third = try #require(named("signs", try await keys("remove", second)).first)
        #expect(third != second)
        #expect(try await errand.publishes(third))
        #expect(try await errand.isRefused(await after.token ?? ""))
        #expect(try await before.send(.get, "/v1/me").status == 200)
        let unknown = try await errand.errand(["admin", "key", "remove", "nobody", "--data", errand.data])
        #expect(unknown.status == .exited(3))
        let published = try await errand.newClient().expect([200], .get, "/.well-known/jwks.json")
        #expect(!String(decoding: published.encoded(), as: UTF8.self).contains("\"d\""))
    }
}

extension RunningErrand {
    /// Whether a token or key is refused within the seconds that the news may take to be known on all loops.
    fileprivate func isRefused(_ token: String) async throws -> Bool {
        let client = try newClient()
        await client.use(token: token)
        let end = Instant.now.advanced(by: .seconds(5))
        while try await client.send(.get, "/v1/projects").status != 401 {
            guard Instant.now < end else { return false }
            _ = await LoopCondition().wait(timeout: .milliseconds(200), on: loop)
        }
        return true
    }

    /// A client of a new account, whose token a signing key has signed: not every loop sees the file in the same instant.
    fileprivate func client(of email: String, signedBy identifier: String) async throws -> ErrandClient {
        let made = try await errand(["admin", "user", "create", email, "--json", "--data", data])
        let password = try #require(try JSONReader.parse(Array(made.output.utf8))["password"]?.string)
        let client = try newClient()
        for _ in 1...10 {
            try await client.signIn(email, password)
            let header = await client.token?.prefix { $0 != "." }
            let json = try header.flatMap { Base64.decodeURL($0) }.map { try JSONReader.parse($0) }
            if json?["kid"]?.string == identifier { break }
        }
        return client
    }

    /// Whether a signing key is handed out within the seconds that servers take to see the file.
    fileprivate func publishes(_ identifier: String) async throws -> Bool {
        let client = try newClient()
        let end = Instant.now.advanced(by: .seconds(10))
        while true {
            let set = try await client.expect([200], .get, "/.well-known/jwks.json")
            if set["keys"]?.array?.contains(where: { $0["kid"]?.string == identifier }) == true { return true }
            guard Instant.now < end else { return false }
            _ = await LoopCondition().wait(timeout: .milliseconds(200), on: loop)
        }
    }
}
