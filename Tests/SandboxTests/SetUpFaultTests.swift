import Glibc
import Platform
import Sandbox
import SandboxSpec
import Testing

@Suite struct SetUpFaultTests {
    private static let mode = geteuid() == 0 ? SandboxMode.root : .rootless

    @Test(arguments: SandboxStep.allCases.filter { $0.belongs(to: mode) })
    func `a step that fails refuses the sandbox and is named`(step: SandboxStep) async throws {
        let error = try await SandboxHarness.run({ $0.allowFaultInjection = true }) { server, harness in
            try await server.prepareProject("faulty", uid: 3)
            let refused = await #expect(throws: SandboxError.self) {
                _ = try await server.create(harness.request(failing: step.rawValue))
            }
            // The same request without the fault starts, so it was the fault that refused it.
            let space = try await server.create(harness.request(failing: nil))
            #expect(try await space.shell("echo started").output == "started\n")
            await space.destroy()
            return refused
        }
        #expect(error?.step == step.rawValue)
        #expect(error?.errno == EIO)
    }

    @Test func `a server without fault injection refuses a request for one`() async throws {
        let error = try await SandboxHarness.run { server, harness in
            try await server.prepareProject("faulty", uid: 3)
            return await #expect(throws: SandboxError.self) {
                _ = try await server.create(harness.request(failing: SandboxStep.filter.rawValue))
            }
        }
        #expect(error == SandboxError(step: "request", errno: EPERM, message: "faults are not allowed here"))
    }

    @Test func `a server that cannot start says why`() async throws {
        let error = await #expect(throws: SandboxError.self) {
            try await SandboxHarness.run({ $0.agentDirectory = "/no/such/directory" }) { _, _ in }
        }
        #expect(error?.step == "agent directory")
    }

    @Test func `a projects' directory that others may write is refused`() async throws {
        let shared = try SandboxHarness.temporaryDirectory()
        defer { try? Files.removeTree(shared) }
        try Files.setMode(shared, 0o777)
        let error = await #expect(throws: SandboxError.self) {
            try await SandboxHarness.run({ $0.projectsRoot = shared }, keepsMode: true) { _, _ in }
        }
        #expect(error?.step == "projects root")
        #expect(error?.errno == EPERM)
    }
}

extension SandboxHarness {
    fileprivate func request(failing step: String?) -> SandboxRequest {
        var request = SandboxRequest(
            id: "faulty",
            workspace: .project(name: "faulty", uidIndex: 3, readOnly: false)
        )
        request.fault = step
        return request
    }
}
