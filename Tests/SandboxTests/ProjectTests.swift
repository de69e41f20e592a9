import Glibc
import Platform
import Sandbox
import Testing

@Suite struct ProjectTests {
    static let isRoot = geteuid() == 0

    @Test func `a project's files and the agent's state outlive its sandbox`() async throws {
        try await SandboxHarness.run { server, harness in
            let first = try await harness.project(server, "kept", uid: 4)
            _ = try await first.shell("echo one > /workspace/file; echo two > /state/config/file; echo no > ~/file")
            await first.destroy()
            let second = try await harness.project(server, "kept", uid: 4)
            let seen = try await second.shell("cat /workspace/file /state/config/file; ls ~")
            #expect(seen.output == "one\ntwo\n")
            #expect(try Files.readAll("\(harness.workspace("kept"))/file", limit: 16) == Array("one\n".utf8))
            await second.destroy()
        }
    }

    @Test func `an ephemeral workspace vanishes and is bounded`() async throws {
        try await SandboxHarness.run { server, _ in
            let first = try await server.create(ephemeral())
            #expect(try await first.shell("echo x > file; ls").output == "file\n")
            let full = try await first.shell("head -c 100000000 /dev/zero > big")
            #expect(full.errors.contains("No space left on device"))
            await first.destroy()
            let second = try await server.create(ephemeral())
            #expect(try await second.shell("ls -A").output == "")
            await second.destroy()
        }
    }

    @Test func `a read-only workspace cannot be written, the agent's state can`() async throws {
        try await SandboxHarness.run { server, _ in
            try await server.prepareProject("reader", uid: 1)
            var request = SandboxRequest(
                id: "reader",
                workspace: .project(name: "reader", uidIndex: 1, readOnly: true),
                listenerPort: nil
            )
            let space = try await server.create(request)
            let outcome = try await space.shell("touch /workspace/x; touch /state/config/x && echo written")
            #expect(outcome.errors.contains("Read-only file system"))
            #expect(outcome.output == "written\n")
            await space.destroy()
            request.workspace = .project(name: "reader", uidIndex: 1, readOnly: false)
            let writer = try await server.create(request)
            #expect(try await writer.shell("touch /workspace/x && echo written").output == "written\n")
        }
    }

    @Test(.enabled(if: isRoot, "only root gives projects uids of their own"))
    func `each project has a uid of its own that nobody else gets`() async throws {
        try await SandboxHarness.run { server, harness in
            let space = try await harness.project(server, "mine", uid: 11)
            #expect(space.receipt.uid == 1_300_011)
            #expect(try Files.status(harness.workspace("mine"))?.userID == 1_300_011)
            #expect(try Files.status("\(harness.projectsRoot)/mine")?.userID == 0)
            let taken = await #expect(throws: SandboxError.self) { try await server.prepareProject("other", uid: 11) }
            #expect(taken?.errno == EADDRINUSE)
            #expect(!Files.exists("\(harness.projectsRoot)/other"))
            let wrong = await #expect(throws: SandboxError.self) { try await server.prepareProject("mine", uid: 12) }
            #expect(wrong?.errno == EPERM)
            try await server.prepareProject("mine", uid: 11)
        }
    }

    @Test(.enabled(if: isRoot, "only root gives projects uids of their own"))
    func `a project's workspace is not mounted for another uid`() async throws {
        try await SandboxHarness.run { server, _ in
            try await server.prepareProject("owner", uid: 1)
            let request = SandboxRequest(id: "thief", workspace: .project(name: "owner", uidIndex: 2, readOnly: false))
            let error = await #expect(throws: SandboxError.self) { _ = try await server.create(request) }
            #expect(error?.step == "project")
            #expect(error?.errno == EPERM)
        }
    }

    @Test(.enabled(if: isRoot, "only root gives projects uids of their own"), arguments: [-1, 65_536, 61_440, Int.max])
    func `a uid outside the projects' range is refused`(index: Int) async throws {
        let error = try await SandboxHarness.run { server, _ in
            #expect(server.isolation.projectUIDs == 61_440)
            try await server.prepareProject("last", uid: 61_439)
            return await #expect(throws: SandboxError.self) { try await server.prepareProject("beyond", uid: index) }
        }
        #expect(error?.errno == ERANGE)
    }

    @Test(arguments: [
        "", ".", "..", "a/b", "../x", ".trash", "-x", "a b", "a\u{0}", "ä", String(repeating: "a", count: 65),
    ])
    func `a name that is no plain component is refused`(name: String) async throws {
        try await SandboxHarness.run { server, _ in
            try await server.prepareProject("prj_01j9-plain", uid: 0)
            let prepared = await #expect(throws: SandboxError.self) { try await server.prepareProject(name, uid: 1) }
            #expect(prepared?.errno == EINVAL)
            let removed = await #expect(throws: SandboxError.self) { try await server.removeProject(name) }
            #expect(removed?.errno == EINVAL)
        }
    }

    @Test(arguments: ["workspace", "config"])
    func `a directory that became a link refuses the sandbox and touches nothing`(part: String) async throws {
        let outside = try SandboxHarness.temporaryDirectory()
        defer { try? Files.removeTree(outside) }
        try await SandboxHarness.run { server, harness in
            try await server.prepareProject("linked", uid: 0)
            let directory = "\(harness.projectsRoot)/linked/\(part)"
            #expect(unsafe rename(directory, "\(directory).aside") == 0)
            #expect(unsafe symlink(outside, directory) == 0)
            let request = SandboxRequest(
                id: "linked",
                workspace: .project(name: "linked", uidIndex: 0, readOnly: false)
            )
            let error = await #expect(throws: SandboxError.self) { _ = try await server.create(request) }
            #expect(error?.step == "project")
            #expect(error?.errno == ELOOP)
            #expect(try Files.list(outside) == [])
            #expect(unsafe unlink(directory) == 0)
            #expect(unsafe rename("\(directory).aside", directory) == 0)
            let space = try await server.create(request)
            #expect(try await space.shell("echo ok").output == "ok\n")
        }
    }

    @Test func `removal copes with whatever a workload leaves and follows no link`() async throws {
        let outside = try SandboxHarness.temporaryDirectory()
        defer { try? Files.removeTree(outside) }
        try Files.writeAtomically("\(outside)/precious", [1])
        try await SandboxHarness.run { server, harness in
            let space = try await harness.project(server, "messy", uid: 5)
            let script = """
                import os, socket
                os.symlink('\(outside)', 'link'); os.symlink('/', 'root'); os.symlink('.', 'loop'); os.mkfifo('fifo')
                os.mkdir(b'bad\\xff\\n\\x1bname'); open(b'-rf', 'w'); open('x' * 255, 'w'); os.mkdir('locked')
                os.mkdir('locked/inner'); open('locked/inner/file', 'w'); os.symlink('\(outside)', 'locked/inner/link')
                with open('sparse', 'wb') as f: f.truncate(1 << 33)
                for i in range(3000): open('many%d' % i, 'w')
                for i in range(1024):
                    os.mkdir('deep'); os.chdir('deep'); open('file', 'w')
                os.chdir('/workspace'); os.chmod('locked/inner', 0); os.chmod('locked', 0)
                print('done')
                """
            let outcome = try await space.outcome(["/usr/bin/python3", "-c", script])
            #expect(outcome == Outcome(exit: .exited(0), output: "done\n", errors: ""))
            let busy = await #expect(throws: SandboxError.self) { try await server.removeProject("messy") }
            #expect(busy?.errno == EBUSY)
            await space.destroy()
            try await server.removeProject("messy")
            #expect(try Files.list(harness.projectsRoot) == [])
            try await server.removeProject("messy")
        }
        #expect(try Files.list(outside) == ["precious"])
    }

    @Test func `a project is not gone while something of it is left by a removal that failed`() async throws {
        try await SandboxHarness.run { server, harness in
            let left = [".trash-gone-1-1", ".trash-gone-1-2", ".trash-gone-1-3-4", ".trash-gone-1", ".trash-gone-a-1"]
            for name in left {
                try Files.createDirectory("\(harness.projectsRoot)/\(name)/workspace")
                try Files.writeAtomically("\(harness.projectsRoot)/\(name)/workspace/file", [1])
            }
            try await server.removeProject("gone")
            // The control: what is left of projects with other names, "gone-1" among them.
            #expect(try Files.list(harness.projectsRoot).sorted() == left.dropFirst(2).sorted())
            try await server.prepareProject("gone", uid: 0)
            try Files.createDirectory("\(harness.projectsRoot)/.trash-gone-7-8")
            try await server.removeProject("gone")
            #expect(try Files.list(harness.projectsRoot).sorted() == left.dropFirst(2).sorted())
            try await server.removeProject("gone-1")
            #expect(try Files.list(harness.projectsRoot).sorted() == left.dropFirst(3).sorted())
        }
    }

    @Test func `what an earlier server did not finish deleting is deleted`() async throws {
        let root = try SandboxHarness.temporaryDirectory()
        defer { try? Files.removeTree(root) }
        try Files.createDirectory("\(root)/.trash-old-1-1/workspace/deep")
        try Files.writeAtomically("\(root)/.trash-old-1-1/workspace/deep/file", [1])
        try await SandboxHarness.run({ $0.projectsRoot = root }, keepsMode: true) { server, harness in
            // Any request is answered after the start; the removal itself may take a moment longer.
            try await server.prepareProject("new", uid: 0)
            let deadline = harness.loop.now.advanced(by: .seconds(10))
            while try Files.list(root) != ["new"], harness.loop.now < deadline {
                await harness.loop.sleep(.milliseconds(5))
            }
            #expect(try Files.list(root) == ["new"])
        }
    }
}
