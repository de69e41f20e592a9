import Glibc
import Platform
import Sandbox
import Testing

/// The attempts of the probe: each must meet the stated end inside, and its control shows that it would work elsewhere.
@Suite struct EscapeTests {
    @Test(arguments: AttemptGroup.all)
    func `every attempt meets its stated end`(group: AttemptGroup) async throws {
        let controls = group.attempts.compactMap { if case .twin(let name) = $0.control { name } else { nil } }
        let names = group.attempts.map(\.name) + controls
        let (inside, outside) = try await SandboxHarness.run { server, harness in
            let space = try await harness.project(server, "probe")
            let inside = try await space.outcome(["\(SandboxLayout.agentDirectory)/sandbox-probe"] + names)
            await space.destroy()
            return (inside, geteuid() == 0 ? try await harness.attemptOutside(group) : [:])
        }
        #expect(inside.errors == "")
        let results = Self.results(inside.output)
        for attempt in group.attempts {
            let result = results[attempt.name]
            #expect(
                result.map(attempt.inside.contains) == true,
                "inside, \(attempt.name): \(String(describing: result))"
            )
            switch attempt.control {
            case .outside(let wanted):
                // Without root there is no control; the same attempts are controlled where the tests run as root.
                guard geteuid() == 0 else { continue }
                let control = outside[attempt.name]
                #expect(
                    control.map(wanted.contains) == true,
                    "outside, \(attempt.name): \(String(describing: control))"
                )
            case .twin(let name):
                #expect(results[name] == .ok(0), "control \(name) of \(attempt.name)")
            }
        }
    }

    static func results(_ output: String) -> [String: Attempt.Result] {
        var results: [String: Attempt.Result] = [:]
        for line in output.split(separator: "\n") {
            results[String(line.prefix { $0 != " " })] = Attempt.Result(line)
        }
        return results
    }
}

extension SandboxHarness {
    /// Runs the attempts whose control is outside, by root, in an empty directory.
    func attemptOutside(_ group: AttemptGroup) async throws -> [String: Attempt.Result] {
        let names = group.attempts.compactMap { if case .outside = $0.control { $0.name } else { nil } }
        let directory = try SandboxHarness.temporaryDirectory()
        defer { try? Files.removeTree(directory) }
        var spec = ProcessSpec(
            path: "\(SandboxHarness.buildDirectory)/sandbox-probe",
            arguments: ["sandbox-probe"] + names
        )
        spec.workingDirectory = directory
        spec.standardOutput = .pipe
        spec.newSession = true
        let process = try ChildProcess.spawn(spec, on: loop)
        let output = try await process.stdout?.readToEnd() ?? ""
        _ = await process.wait()
        return EscapeTests.results(output)
    }
}
