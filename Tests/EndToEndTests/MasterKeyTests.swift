import Bytes
import Glibc
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd.ModelKeys {
    private static let teams = 12

    @Test(.enabled(if: isRoot, "only an installation started by root has users to tell apart"))
    func `only the API's user reads the master keys`() async throws {
        let errand = try SharedInstallation.get()
        let file = "\(errand.data)/api/master-keys.json"
        let status = try #require(try Files.status(file))
        let api = try #require(ProcessEntry(pid: try await errand.pid(of: .api)))
        #expect(status.mode & 0o777 == 0o600 && status.userID == api.users.first && status.userID != 0)
        for (part, isReader) in [
            (RunningErrand.Part.api, true), (.worker, false), (.postgres, false), (.standin, false),
        ] {
            let entry = try #require(ProcessEntry(pid: try await errand.pid(of: part)))
            let (user, group) = (try #require(entry.users.first), try #require(entry.groups.first))
            let change = ["setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups", "cat", file]
            let outcome = try await errand.run(change)
            #expect(outcome.status.isSuccess == isReader, "\(part)")
            #expect(outcome.output.contains("\"key\"") == isReader, "\(part)")
            let open = try Files.list("/proc/\(entry.pid)/fd").compactMap {
                Files.linkTarget("/proc/\(entry.pid)/fd/\($0)")
            }
            #expect(!open.contains(file), "\(part) keeps it open")
        }
    }

    @Test func `a rotation that is killed in the middle goes on where it was, and jobs find their keys all the while`()
        async throws
    {
        let errand = try SharedInstallation.get()
        let client = try await errand.member("rotated@example.org")
        var teams: [String] = []
        for index in 1...Self.teams {
            let form = JSONObject([("name", .string("rotated \(index)"))])
            let team = try #require(try await client.expect([201], .post, "/v1/teams", .object(form))["id"]?.string)
            teams.append(team)
            try await set("sk-before-rotation-\(index)", team, client)
        }
        let rotate = ["admin", "key", "rotate-master", "--batch", "1", "--json", "--data", errand.data]
        let rotations = try await recorded(errand).count { $0 == "master_key.rotated" }
        let before = try await list(errand)
        #expect(before.map(\.state) == ["current"] && before[0].secrets == Self.teams, "\(before)")

        let broken = try await errand.start(rotate, [:])
        let lines = await broken.lines(atLeast: 4)
        await broken.kill()
        let first = try JSONReader.parse(Array(try #require(lines.first).utf8))
        #expect(first["event"]?.string == "key" && first["resumed"]?.bool == false)
        let middle = try await list(errand)
        #expect(middle.map(\.state) == ["older", "current"] && middle[0].id == before[0].id, "\(middle)")
        #expect(middle[1].id == first["id"]?.string && middle.allSatisfy { $0.secrets > 0 }, "\(middle)")
        // The servers have not been told, and write under the new key at once.
        try await set("sk-in-between", teams[0], client)
        for team in teams { try await client.expect([200], .get, "/v1/teams/\(team)/model-key") }

        let resumed = try await errand.errand(rotate)
        #expect(resumed.status.isSuccess, "\(resumed.errors)")
        let events = try resumed.output.split(separator: "\n").map { try JSONReader.parse(Array($0.utf8)) }
        #expect(events.first?["resumed"]?.bool == true && events.first?["id"] == first["id"])
        #expect(events.last?["event"]?.string == "done" && events.last?["damaged"] == .array([]))
        #expect(events.last?["removed"] == .array([.string(before[0].id)]))
        let after = try await list(errand)
        #expect(after.map(\.state) == ["current"] && after[0].secrets == Self.teams, "\(after)")
        #expect(after[0].id == middle[1].id)
        if isRoot {
            let status = try #require(try Files.status("\(errand.data)/api/master-keys.json"))
            let api = try #require(ProcessEntry(pid: try await errand.pid(of: .api)))
            #expect(status.userID == api.users.first && status.mode & 0o777 == 0o600)
        }
        try await set("sk-after-rotation", teams[1], client)
        #expect(try await recorded(errand).count { $0 == "master_key.rotated" } == rotations + 1)
        try await reload(errand)
        for team in teams { try await client.expect([204], .delete, "/v1/teams/\(team)/model-key") }
    }

    @Test(.enabled(if: BuiltPrograms.agent != nil, "ERRAND_AGENT_PATH names no agent"))
    func `a server that was not told of a rotation opens what was wrapped anew`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.member("untold@example.org")
        let project = try await client.project()
        try await Gateway.with(errand, key: "sk-rotated-\(UInt64.random(in: 0 ... .max))") { gateway in
            try await client.expect([200], .put, "/v1/me/model-key", gateway.form())
            for round in 1...2 {
                let rotated = try await errand.errand(["admin", "key", "rotate-master", "--data", errand.data])
                #expect(rotated.status.isSuccess, "\(rotated.errors)")
                let job = try await client.finished(try await client.prompt("standin: say \(round)", in: project))
                #expect(job.state == "succeeded" && job["model_key"]?.string == "user", "\(job)")
            }
            try await client.expect([204], .delete, "/v1/me/model-key")
        }
    }

    @Test func `while a rotation runs every request is answered, and afterwards every key opens`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.member("steady@example.org")
        var teams: [String] = []
        for index in 1...Self.teams {
            let form = JSONObject([("name", .string("steady \(index)"))])
            let team = try #require(try await client.expect([201], .post, "/v1/teams", .object(form))["id"]?.string)
            teams.append(team)
            try await set("sk-before-\(index)-and-after", team, client)
        }
        let rotate = ["admin", "key", "rotate-master", "--batch", "1", "--json", "--data", errand.data]
        let asked = teams
        let end = Ending()
        let (rotated, rounds) = try await withThrowingTaskGroup(of: (ProgramOutcome?, Int).self) { group in
            group.addTask {
                defer { end.isHere.withLock { $0 = true } }
                return (try await errand.errand(rotate), 0)
            }
            group.addTask {
                var rounds = 0
                while rounds == 0 || !end.isHere.withLock({ $0 }) {
                    rounds += 1
                    for (index, team) in asked.enumerated() {
                        if index % 2 == rounds % 2 { try await set("sk-meanwhile-\(rounds)-\(index)", team, client) }
                        try await client.expect([200], .get, "/v1/teams/\(team)/model-key")
                    }
                }
                return (nil, rounds)
            }
            return try await group.reduce(into: (ProgramOutcome?.none, 0)) { sum, part in
                sum = (sum.0 ?? part.0, sum.1 + part.1)
            }
        }
        #expect(rotated?.status.isSuccess == true && rounds > 0, "\(rotated?.errors ?? "")")
        let rows = try await list(errand)
        #expect(rows.map(\.state) == ["current"] && rows[0].secrets == Self.teams, "\(rows)")
        // To wrap a secret anew is to open it first.
        let again = try await errand.errand(rotate)
        let done = try JSONReader.parse(Array(try #require(again.output.split(separator: "\n").last).utf8))
        #expect(done["rewrapped"]?.integer == Int64(Self.teams) && done["damaged"] == .array([]), "\(again.output)")
        for team in teams { try await client.expect([204], .delete, "/v1/teams/\(team)/model-key") }
    }

    @Test func `a damaged secret is named, keeps its old key, and holds nothing else up`() async throws {
        let errand = try SharedInstallation.get()
        let client = try await errand.member("damaged@example.org")
        var teams: [String] = []
        for index in 1...3 {
            let form = JSONObject([("name", .string("damaged \(index)"))])
            let team = try #require(try await client.expect([201], .post, "/v1/teams", .object(form))["id"]?.string)
            teams.append(team)
            try await set("sk-to-be-damaged-\(index)", team, client)
        }
        let place = "model_keys/\(teams[1])/key"
        let flipped = "sealed = set_byte(sealed, 100, get_byte(sealed, 100) # 1)"
        try await query("update secrets set \(flipped) where place = '\(place)' returning 1", errand)
        let rotate = ["admin", "key", "rotate-master", "--json", "--data", errand.data]
        let rotated = try await errand.errand(rotate)
        let done = try JSONReader.parse(Array(try #require(rotated.output.split(separator: "\n").last).utf8))
        #expect(rotated.status == .exited(1) && done["damaged"] == .array([.string(place)]), "\(rotated.output)")
        #expect(done["rewrapped"]?.integer == 2 && done["removed"] == .array([]))
        let rows = try await list(errand)
        #expect(rows.map(\.state) == ["older", "current"] && rows.map(\.secrets) == [1, 2], "\(rows)")
        // Set anew, it has the new key, and the old one goes.
        try await set("sk-set-anew", teams[1], client)
        let ended = try await errand.errand(rotate)
        #expect(ended.status.isSuccess, "\(ended.errors)")
        #expect(try await list(errand).map(\.state) == ["current"])
        for team in teams { try await client.expect([204], .delete, "/v1/teams/\(team)/model-key") }
    }

    @Test func `a server without the keys that the database needs refuses to start, and starts with them`()
        async throws
    {
        let errand = try SharedInstallation.get()
        let file = "\(errand.data)/api/master-keys.json"
        let aside = "\(errand.data)/api/master-keys.aside"
        let owner = try #require(try Files.status(file))
        let whole = try await list(errand)
        try Files.rename(file, to: aside)
        try await errand.crash(.api)
        // It makes a first key, as an empty installation would, and finds that the database has another.
        try await errand.logged("lacks master keys that stored secrets need (\(try #require(whole.first).id))")
        try Files.rename(aside, to: file)
        if isRoot { try Files.setOwner(file, userID: owner.userID, groupID: owner.groupID) }
        try await errand.recovered(.api)
        #expect(try await list(errand).map(\.id) == whole.map(\.id))
    }

    private func set(_ key: String, _ team: String, _ client: ErrandClient) async throws {
        let form = JSONObject([("provider", .string("anthropic")), ("key", .string(key))])
        try await client.expect([200], .put, "/v1/teams/\(team)/model-key?verify=false", .object(form))
    }

    private struct Row {
        let id: String
        let state: String
        let secrets: Int64
    }

    private func list(_ errand: RunningErrand) async throws -> [Row] {
        let outcome = try await errand.errand(["admin", "key", "master-list", "--json", "--data", errand.data])
        try #require(outcome.status.isSuccess, "\(outcome.errors)")
        return try (JSONReader.parse(Array(outcome.output.utf8)).array ?? []).map { row in
            Row(
                id: try #require(row["id"]?.string),
                state: try #require(row["state"]?.string),
                secrets: try #require(row["secrets"]?.integer)
            )
        }
    }

    /// SIGHUP has the servers read the file at once.
    private func reload(_ errand: RunningErrand) async throws {
        await errand.signal(SIGHUP)
        try await errand.logged("master keys reloaded")
    }

    private func recorded(_ errand: RunningErrand) async throws -> [String] {
        try await query("select action from audit_entries", errand)
    }

    /// The lines of an answer, as the servers' role gets them.
    @discardableResult
    private func query(_ statement: String, _ errand: RunningErrand) async throws -> [String] {
        let url = try #require(try await errand.ready()["postgres_url"]?.string)
        let script = "begin; set local errand.scope = 'system'; \(statement); commit"
        let answer = try await errand.run(["psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-tAqc", script, url])
        try #require(answer.status.isSuccess, "\(answer.errors)")
        return answer.output.split(separator: "\n").map(String.init)
    }
}

/// Tells one task that another one has ended.
private final class Ending: Sendable {
    let isHere = Lock(false)
}
