import Agents
import Core
import Link
import Platform
import Testing

@testable import Worker

/// What the worker does with a model key: one attempt has it, as long as it lasts.
@Suite struct GrantedModelTests {
    private static func assignment(_ number: UInt64, key: String) -> JobAssignment {
        var assignment = Assignments.command(Names.attempt(number))
        let endpoint = ModelEndpoint(
            provider: .anthropic,
            baseURL: ModelEndpoint.anthropicURL,
            reach: .publicOnly
        )
        assignment.model = ModelGrant(endpoint: endpoint, apiKey: key)
        return assignment
    }

    @Test func `a key is forgotten with its attempt's end, also while nobody takes the end`() async throws {
        try await onLoopWithDirectory { loop, path in
            var process: FakeProcess?
            let bench = try ServiceBench(loop, path) { process = $0 }
            bench.api.acceptsEnds = false
            try await bench.link()
            await bench.api.give(Self.assignment(1, key: "sk-of-one-job"))
            try await bench.until("running") { process != nil }
            let held = try #require(bench.table.held[Names.attempt(1)])
            #expect(held.runner?.assignment.model?.apiKey == "sk-of-one-job")
            process?.end(.exited(0))
            try await bench.until("ended here") { held.end != nil }
            #expect(held.runner != nil && held.runner?.assignment.model == nil)
            #expect(bench.sandboxes.opened.allSatisfy(\.isDestroyed) && bench.api.ends.isEmpty)
            bench.api.acceptsEnds = true
            bench.api.control?.cut()
            try await bench.until("reported") { bench.api.ends.count == 1 && bench.table.held.isEmpty }
            try await bench.stop()
        }
    }

    @Test func `each attempt's sandbox is served its own key, and the spool has none of them`() async throws {
        try await onLoopWithDirectory { loop, path in
            var processes: [FakeProcess] = []
            let bench = try ServiceBench(loop, path) { process in
                process.print("printed by a program\n")
                processes.append(process)
            }
            bench.api.storesRecords = false
            try await bench.link()
            await bench.api.give(Self.assignment(1, key: "sk-of-the-first"))
            await bench.api.give(Self.assignment(2, key: "sk-of-the-second"))
            try await bench.until("running") { processes.count == 2 }
            #expect(Set(bench.sandboxes.opened.compactMap(\.model?.apiKey)) == ["sk-of-the-first", "sk-of-the-second"])
            #expect(Set(bench.sandboxes.opened.compactMap(\.token)).count == 2)
            try await bench.until("spooled") { (try? Self.contains("printed by a program", below: path)) == true }
            #expect(try !Self.contains("sk-of-the", below: path))
            bench.api.storesRecords = true
            for process in processes { process.end(.exited(0)) }
            for number in [1, 2] as [UInt64] { await bench.api.sayBulk(.expected(Names.attempt(number), next: 1)) }
            try await bench.until("ended") { bench.api.ends.count == 2 }
            try await bench.stop()
        }
    }

    /// Whether any file of a tree holds a text.
    private static func contains(_ text: String, below path: String) throws -> Bool {
        for name in try Files.list(path) {
            let place = "\(path)/\(name)"
            guard let status = try Files.status(place) else { continue }
            if status.isRegularFile {
                if try Files.readAll(place, limit: 1 << 20).firstRange(of: Array(text.utf8)) != nil { return true }
            } else if try contains(text, below: place) {
                return true
            }
        }
        return false
    }
}
