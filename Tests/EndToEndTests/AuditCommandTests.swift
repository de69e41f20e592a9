import Bytes
import Glibc
import HTTP
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The audit log by the command line: beside the server, without it, and after somebody tampered with it.
    @Suite(.timeLimit(.minutes(5)))
    struct Audit {}
}

extension EndToEnd.Audit {
    @Test func `the log is read, exported and verified beside the server, without it and from its export`() async throws
    {
        try await RunningErrand.with(["ERRAND_AUDIT_CHECKPOINT_ENTRIES": "1"]) { errand in
            let team = try await errand.busyTeam()
            let whole = try await errand.verify()
            #expect(whole.isWhole && whole.chains >= 2)
            let tail = try await errand.errand(["admin", "audit", "tail", "--chain", team, "--data", errand.data])
            #expect(tail.status.isSuccess && tail.output.contains("job.submitted  succeeded  usr_"))
            #expect(tail.output.contains("audit.read  succeeded  administrator:"))
            let filtered = try await errand.errand(
                [
                    "admin", "audit", "tail", "--chain", team, "--action", "project.created", "--json", "--data",
                    errand.data,
                ]
            )
            #expect(filtered.output.split(separator: "\n").count == 1)
            // Over the API, as the team's owner.
            let client = try await errand.administrator()
            let listed = try await client.send(.get, "/v1/teams/\(team)/audit?action=job.submitted&limit=1")
            #expect(listed.status == 200 && listed.json["items"]?.array?.count == 1)
            // What is exported verifies on any machine, with what was copied before.
            let copies = try errand.copyEvidence()
            let export = try await errand.errand(["admin", "audit", "export", "--data", errand.data])
            #expect(export.status.isSuccess)
            let path = "\(errand.data)/export.ndjson"
            try Files.writeAtomically(path, Array(export.output.utf8))
            let words = ["admin", "audit", "verify", "--file", path] + copies
            let alone = try await errand.errand(words)
            #expect(alone.status.isSuccess && alone.output.hasPrefix("whole: "), "\(alone.output)\(alone.errors)")
            try Files.writeAtomically(path, Array(export.output.replacing("job.submitted", with: "job.cancelled").utf8))
            let forged = try await errand.errand(words)
            #expect(forged.status == .exited(1) && forged.output.contains("\(team) entry "))
            #expect(forged.output.contains("misstated"))
            let csv = try await errand.errand(
                ["admin", "audit", "export", "--format", "csv", "--chain", team, "--data", errand.data]
            )
            #expect(csv.output.hasPrefix("\"chain\",\"seq\""))
            // Stopped, the database is started for the moment; nothing of it is left behind.
            await errand.signal(SIGTERM)
            #expect(await errand.waitForEnd() == .exited(0))
            let stopped = try await errand.verify()
            #expect(stopped.isWhole && stopped.chains >= whole.chains)
            let late = try await errand.errand(["admin", "audit", "tail", "--lines", "1", "--data", errand.data])
            #expect(late.status.isSuccess && late.output.contains("audit.read"), "\(late.errors)")
            let following = try await errand.errand(["admin", "audit", "tail", "--follow", "--data", errand.data])
            #expect(following.status == .exited(1))
            #expect(try await errand.errand(["admin", "user", "list", "--data", errand.data]).status.isSuccess)
            #expect(!Files.exists("\(errand.data)/postgres/15/postmaster.pid"))
            try await errand.launch()
            #expect(try await errand.verify().isWhole)
        }
    }

    @Test func `old months are dropped by the verb, and by a start that was told how long to keep them`() async throws {
        try await RunningErrand.with(["ERRAND_AUDIT_KEEP_DAYS": "31"]) { errand in
            _ = try await errand.busyTeam()
            // In March of 2024 nothing was recorded; a month without entries goes like any other.
            let march = "select errand_audit_open_month(1710000000000)"
            try await errand.tamper(march)
            let prune = ["admin", "audit", "prune", "--keep-days", "31", "--data", errand.data]
            #expect(try await errand.errand(prune).status == .exited(2))
            let pruned = try await errand.errand(prune + ["--yes"])
            #expect(pruned.status.isSuccess && pruned.output.hasPrefix("2024-03"), "\(pruned.errors)")
            let tail = try await errand.errand([
                "admin", "audit", "tail", "--action", "audit.dropped", "--data", errand.data,
            ])
            #expect(tail.output.contains("2024-03"))
            #expect(try await errand.errand(prune + ["--yes"]).output.isEmpty)
            // June, since the clock never goes back behind a month that was dropped.
            try await errand.tamper(march.replacing("1710000000000", with: "1717500000000"))
            await errand.signal(SIGTERM)
            #expect(await errand.waitForEnd() == .exited(0))
            try await errand.launch()
            try await errand.logged("2024-06")
            #expect(try await errand.verify().isWhole)
        }
    }

    /// What the owner of the database can do to it, and where it shows.
    enum Tampering: CaseIterable, Sendable {
        case changed, removed, inserted, truncated

        /// Statements for a superuser who has switched the triggers off; the entry and the kind of fault they leave.
        func statements(_ team: String) -> (sql: String, seq: Int64, kind: String) {
            let chain = "(select id from teams where id <> '\(zero)' order by created_at limit 1)"
            let row = "chain = \(chain) and seq ="
            switch self {
            case .changed: return ("update audit_entries set action = 'x' where \(row) 2", 2, "misstated")
            case .removed: return ("delete from audit_entries where \(row) 2", 2, "missing")
            case .inserted:
                return (
                    """
                    insert into audit_entries
                        (chain, seq, recorded_ms, prev_hash, hash, canonical, personal, actor, action, target)
                    select chain, seq, recorded_ms + 1, prev_hash, hash, canonical, personal, actor, action, target
                    from audit_entries where \(row) 2 and recorded_ms + 1 <= (
                        select recorded_ms from audit_entries where \(row) 3
                    )
                    """, 2, "repeated"
                )
            case .truncated:
                return (
                    """
                    delete from audit_entries where chain = \(chain) and seq > 2;
                    update audit_heads h set (seq, hash, recorded_ms) = (
                        select seq, hash, recorded_ms from audit_entries e where e.chain = h.chain and e.seq = 2
                    ) where chain = \(chain);
                    delete from audit_checkpoints where chain = \(chain)
                    """, 3, "truncated"
                )
            }
        }

        private var zero: String { "00000000-0000-0000-0000-000000000000" }
    }

    @Test func `what the database's owner does to the log is found and named, and the server reports it`() async throws
    {
        for tampering in Tampering.allCases {
            try await RunningErrand.with(["ERRAND_AUDIT_CHECKPOINT_ENTRIES": "1"]) { errand in
                let team = try await errand.busyTeam()
                #expect(await errand.isSigned(team, 3))
                let (sql, seq, kind) = tampering.statements(team)
                try await errand.tamper(sql)
                let found = try await errand.verify()
                #expect(!found.isWhole, "\(tampering)")
                #expect(found.fault == "\(team) \(seq) \(kind)", "\(tampering)")
            }
        }
    }
}

/// What `errand admin audit verify --json` said.
private struct Verdict {
    let isWhole: Bool
    let chains: Int
    /// Chain, entry and kind of the only fault.
    let fault: String?
}

extension RunningErrand {
    /// The administrator's team, with a job in its log.
    fileprivate func busyTeam() async throws -> String {
        let client = try await administrator()
        let project = try await client.project()
        let job = try await client.shell("true", in: project)
        #expect(try await client.finished(job).state == "succeeded")
        return try #require(try await client.expect([200], .get, "/v1/projects/\(project)")["team_id"]?.string)
    }

    fileprivate func verify() async throws -> Verdict {
        let outcome = try await errand(["admin", "audit", "verify", "--json", "--data", data])
        let json = try JSONReader.parse(Array(outcome.output.utf8))
        let chains = json["chains"]?.array ?? []
        let isWhole = json["is_whole"]?.bool == true
        #expect(outcome.status == .exited(isWhole ? 0 : 1), "\(outcome.errors)")
        let faults = chains.compactMap { chain -> String? in
            guard let fault = chain["fault"], let seq = fault["entry"]?.integer else { return nil }
            return "\(chain["chain"]?.string ?? "") \(seq) \(fault["kind"]?.string ?? "")"
        }
        return Verdict(
            isWhole: isWhole,
            chains: chains.count,
            fault: faults.count == 1 ? faults[0] : nil
        )
    }

    /// Whether a team's chain is signed up to an entry within a minute.
    fileprivate func isSigned(_ team: String, _ seq: Int) async -> Bool {
        let end = loop.now.advanced(by: .seconds(60))
        while loop.now < end {
            let bytes = (try? Files.readAll("\(data)/api/audit-checkpoints.txt", limit: 1 << 20)) ?? []
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            let sizes = zip(lines, lines.dropFirst()).filter { $0.0.hasSuffix("/\(team)") }.compactMap { Int($0.1) }
            if let last = sizes.max(), last >= seq { return true }
            _ = await LoopCondition().wait(timeout: .milliseconds(50), on: loop)
        }
        return false
    }

    /// Copies of the public key and the checkpoints, as options that name them.
    fileprivate nonisolated func copyEvidence() throws -> [String] {
        var options: [String] = []
        for (option, name) in [("--key", "audit-key.pub"), ("--checkpoints", "audit-checkpoints.txt")] {
            let bytes = try Files.readAll("\(data)/api/\(name)", limit: 1 << 20)
            try Files.writeAtomically("\(data)/copy-\(name)", bytes)
            options += [option, "\(data)/copy-\(name)"]
        }
        return options
    }

    /// Runs statements as the superuser, with the triggers that refuse them switched off.
    fileprivate func tamper(_ statements: String) async throws {
        let url = try #require(try ready()["postgres_url"]?.string)
        let password = String(
            decoding: try Files.readAll("\(data)/secrets/postgres-errand_super", limit: 1_024),
            as: UTF8.self
        ).prefix { $0 != "\n" }
        let place = try #require(url.split(separator: "@", maxSplits: 1).last)
        let outcome = try await run([
            "psql", "--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", "-c",
            "set session_replication_role = 'replica'; \(statements)",
            "postgresql://errand_super:\(password)@\(place)",
        ])
        #expect(outcome.status.isSuccess, "\(outcome.errors)")
    }
}
