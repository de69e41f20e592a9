import API
import Auth
import Bytes
import Core
package import Platform
import Store

/// `errand admin audit verify`: holds the audit log to its hashes, its ends and what was signed.
package struct AuditVerify: Verb {
    package static let words = ["admin", "audit", "verify"]
    package static let usage = "[--chain CHAIN | --file EXPORT] [options]"
    package static let summary = "Verify the audit log and name the first entry that is not as it was written."
    package static let options =
        [AuditChoice.chainOption, Option("--file", "EXPORT", "verify an NDJSON export, without the database")]
        + AuditEvidence.options + [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let choice: AuditChoice

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
        choice = try AuditChoice(arguments)
        if arguments.value("--file") != nil, arguments.value("--chain") != nil {
            throw UsageError("--file verifies every chain of the export: leave --chain away")
        }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        if let path = arguments.value("--file") { return try await verify(export: path, terminal) }
        return try await AdminSession.open(arguments, on: loop) { session in
            let store = session.store
            let chain = try await choice.chain(in: store)
            let evidence = try await AuditEvidence.load(arguments, directory: session.directory)
            do throws(StoreError) {
                try await store.recordReading("audit.read", chain, [AuditDetail("by", "verify")])
            } catch {
                // Whoever broke the log must not be able to keep that from being found.
                terminal.note("this verification could not be recorded: \(error)")
            }
            let inspection = AuditInspection(
                store.audit,
                store.auditCheckpoints,
                key: evidence.key,
                shelf: evidence.shelf
            )
            var findings = Findings(terminal, isJSON: arguments.has("--json"))
            if let chain {
                findings.add(try await inspection.inspect(chain))
            } else {
                try await inspection.inspectAll { findings.add($0) }
            }
            return findings.finish(evidence)
        }
    }

    /// Verifies a file, whose lines are whole lines of an export or nothing that this can say anything of.
    private func verify(export path: String, _ terminal: Terminal) async throws -> Int32 {
        guard Files.exists(path) else {
            throw CommandFailure("there is no file \(path)", exitCode: ExitCode.usage)
        }
        let evidence = try await AuditEvidence.load(arguments, directory: arguments.value("--data"))
        let verifier = try await BlockingPool.run {
            var verifier = AuditExportVerifier(evidence.shelf)
            try Files.forEachLine(path) { verifier.add(Array($0)) }
            verifier.finish()
            return verifier
        }
        if let line = verifier.unreadable {
            throw CommandFailure("line \(line) of \(path) is no entry of an NDJSON export")
        }
        var findings = Findings(terminal, isJSON: arguments.has("--json"))
        for report in verifier.reports { findings.add(report) }
        let absent = evidence.shelf.chains.filter { chain in !verifier.reports.contains { $0.chain == chain } }
        if !absent.isEmpty {
            terminal.note("signed, and not in this export: \(absent.map(\.description).joined(separator: ", "))")
        }
        return findings.finish(evidence)
    }
}

/// What a verification tells.
private struct Findings {
    private let terminal: Terminal
    private let isJSON: Bool
    private var reports: [AuditReport] = []

    init(_ terminal: Terminal, isJSON: Bool) {
        self.terminal = terminal
        self.isJSON = isJSON
    }

    mutating func add(_ report: AuditReport) {
        reports.append(report)
        if let fault = report.fault, !isJSON { terminal.print("\(fault)") }
    }

    /// Tells the sum, and gives the exit code.
    func finish(_ evidence: AuditEvidence) -> Int32 {
        let faults = reports.count { $0.fault != nil }
        if evidence.foreign > 0 {
            terminal.note("\(evidence.foreign) pieces of the checkpoint files are no checkpoints of this log")
        }
        if evidence.shelf.chains.isEmpty {
            terminal.note("no checkpoints outside the database: name a copy with --checkpoints FILE")
        }
        if isJSON {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("is_whole", faults == 0)
            writer.member("foreign_checkpoints", Int64(evidence.foreign))
            writer.key("chains")
            writer.beginArray()
            for report in reports { report.write(to: &writer) }
            writer.endArray()
            writer.endObject()
            terminal.put(writer.bytes.harmlessJSON + [UInt8(ascii: "\n")])
        } else {
            let entries = reports.reduce(0) { $0 + $1.entries }
            let checkpoints = reports.reduce(0) { $0 + $1.checkpoints }
            let sum = "\(reports.count) chains, \(entries) entries, \(checkpoints) signed checkpoints"
            terminal.print(faults == 0 ? "whole: \(sum)" : "not whole: \(faults) of \(sum)")
        }
        return faults == 0 ? ExitCode.done : ExitCode.failed
    }
}
