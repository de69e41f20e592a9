package import Platform

/// Looks at the machine and says what is missing for Errand, and what to do about it.
package enum Doctor {
    /// Every finding, in the order of `errand doctor`.
    package static func examine(_ configuration: Configuration, on loop: EventLoop) async -> [Finding] {
        var findings = [await userNamespaces(on: loop)]
        findings += await offLoop("kernel") { kernel() }
        findings.append(await postgres(on: loop))
        findings.append(await redis(on: loop))
        findings.append(await openssl())
        let (data, connections) = (configuration.dataDirectory, configuration.maxConnections)
        findings += await offLoop("machine") { machine(data: data, connections: connections) }
        findings.append(await agent(configuration.agentPath, on: loop))
        return findings
    }

    /// The text of `errand doctor`.
    package static func render(_ findings: [Finding]) -> String {
        let width = findings.map(\.name.count).max() ?? 0
        return findings.map { finding in
            let verdict = finding.verdict.rawValue + String(repeating: " ", count: 7 - finding.verdict.rawValue.count)
            let name = finding.name + String(repeating: " ", count: width - finding.name.count)
            let fix = finding.fix.isEmpty ? "" : "\n         fix: \(finding.fix)"
            return "\(verdict)  \(name)  \(finding.detail)\(fix)\n"
        }.joined()
    }

    private static func offLoop(
        _ name: String,
        _ body: @escaping @Sendable () throws -> [Finding]
    ) async -> [Finding] {
        do {
            return try await BlockingPool.run(body)
        } catch {
            return [.failure(name, "\(error)", fix: "run `errand doctor` again when the machine is less busy")]
        }
    }
}
