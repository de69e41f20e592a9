import Glibc
import Platform
import Sandbox
import Testing

/// What a workload sees of its own sandbox, read by ordinary programs.
@Suite struct ViewTests {
    @Test func `the kernel's own account says confined`() async throws {
        let (inside, outside) = try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            return (
                try await space.shell("cat /proc/self/status").output,
                String(decoding: try Files.readAll("/proc/self/status", limit: 1 << 16), as: UTF8.self)
            )
        }
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(inside.contains("\(set):\t0000000000000000\n"))
        }
        #expect(inside.contains("NoNewPrivs:\t1\n"))
        #expect(inside.contains("Seccomp:\t2\n"))
        #expect(inside.contains("Seccomp_filters:\t1\n"))
        #expect(inside.contains("Uid:\t1000\t1000\t1000\t1000\n"))
        #expect(inside.contains("Groups:\t \n") || geteuid() != 0)
        #expect(outside.contains("NoNewPrivs:\t0\n"))
        #expect(outside.contains("Seccomp:\t0\n"))
    }

    @Test func `the receipt tells what the kernel tells`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let receipt = space.receipt
            #expect(receipt.capabilities == 0)
            #expect(receipt.noNewPrivileges)
            #expect(receipt.seccompMode == 2)
            #expect(receipt.mode == (geteuid() == 0 ? .root : .rootless))
            let seen = try await space.shell(
                "for n in user mnt pid net ipc uts cgroup time; do readlink /proc/self/ns/$n; done"
            )
            #expect(seen.output == receipt.namespaces.map { "\($0)\n" }.joined())
            let hosts = try ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"].map { kind in
                var target = [CChar](repeating: 0, count: 64)
                let length = unsafe readlink("/proc/self/ns/\(kind)", &target, target.count)
                try #require(length > 0)
                return String(decoding: target[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
            }
            #expect(Set(hosts).isDisjoint(with: receipt.namespaces))
            #expect(server.isolation.degraded.isEmpty == (geteuid() == 0))
        }
    }

    @Test func `a command starts with three descriptors and the environment it was given`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral(port: 8080))
            // The shell's glob is done before its own redirections; the fourth is the directory being read.
            let names = try await space.outcome(["/bin/ls", "/proc/self/fd"])
            #expect(names.output == "0\n1\n2\n3\n")
            let kinds = try await space.shell("readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2").output
            let lines = kinds.split(separator: "\n")
            #expect(lines.first == "/dev/null")
            #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("pipe:") })
            let environment = try await space.outcome(["/usr/bin/env"])
            #expect(environment.output == "PATH=/usr/local/bin:/usr/bin:/bin\nHOME=/home/agent\nLANG=C.UTF-8\n")
        }
    }

    @Test func `standard streams can be reopened by their names`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let outcome = try await space.shell("echo one > /dev/stdout; echo two > /dev/stderr; cat < /dev/stdin")
            #expect(outcome == Outcome(exit: .exited(0), output: "one\n", errors: "two\n"))
        }
    }

    @Test func `the mount table holds what it should and names no other path of the host`() async throws {
        let root = try await SandboxHarness.run { server, harness in
            let space = try await harness.project(server, "table")
            let table = try await space.shell("cut -d' ' -f5 /proc/self/mountinfo").output
            let points = table.split(separator: "\n").map(String.init)
            #expect(Set(points).isSuperset(of: ["/", "/usr", "/proc", "/dev", "/tmp", "/workspace", "/state/config"]))
            #expect(points.sorted() == space.receipt.mounts.sorted() || geteuid() != 0)
            let listing = try await space.shell("ls -A /; ls -A /home /opt /state /mnt /srv /root /run").output
            #expect(!listing.contains("work\n") && !listing.contains("old_root"))
            return try await space.shell("ls -d /etc/claude-code /etc/shadow /oldroot /sys /.dockerenv 2>&1").output
        }
        #expect(root.split(separator: "\n").count == 5)
        #expect(root.split(separator: "\n").allSatisfy { $0.contains("No such file") })
    }

    @Test func `only the workload's own processes are in sight`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let seen = try await space.shell("echo $$; ls /proc | grep '^[0-9]' | sort -n | head -1").output
            let numbers = seen.split(separator: "\n")
            #expect(numbers.count == 2)
            #expect(numbers.first == numbers.last)
            #expect(try await space.shell("ls -d /proc/1").exit != .exited(0))
        }
    }

    @Test(arguments: ["/proc/self/fd/1", "/proc/1/cwd", "workspace", "", "/no/such/place"])
    func `a working directory that is none is refused`(directory: String) async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            var command = SandboxCommand(arguments: ["true"], environment: SandboxProcessSpace.environment)
            command.workingDirectory = directory
            let bad = command
            await #expect(throws: SandboxError.self) { _ = try await space.run(bad) }
            command.workingDirectory = "/tmp"
            let running = try await space.run(command)
            #expect(await running.wait() == .exited(0))
        }
    }

    @Test func `limits hold inside`() async throws {
        try await SandboxHarness.run { server, _ in
            var request = ephemeral()
            request.limits.processes = 32
            request.limits.openFiles = 100
            request.limits.fileSize = 1 << 20
            request.limits.tmpBytes = 2 << 20
            request.limits.inodes = 64
            var space = try await server.create(request)
            let forks = try await space.shell(
                "i=0; while [ $i -lt 64 ]; do sleep 100 >/dev/null 2>&1 & i=$((i+1)); done"
            )
            #expect(forks.errors.contains("Cannot fork"))
            await space.destroy()
            space = try await server.create(request)
            #expect(try await space.shell("sleep 0 & wait; echo ok").output == "ok\n")
            let open = try await space.outcome([
                "/usr/bin/python3", "-c",
                "import os\ntry:\n  while True: last = os.dup(0)\nexcept OSError as e: print(last, e.errno)",
            ])
            #expect(open.output == "99 \(EMFILE)\n")
            #expect(try await space.shell("head -c 2000000 /dev/zero > big").exit != .exited(0))
            let full = try await space.shell("for i in 1 2 3; do head -c 1000000 /dev/zero > /tmp/$i; done")
            #expect(full.errors.contains("No space left on device"))
            let inodes = try await space.shell(
                "i=0; while [ $i -lt 99 ]; do : > /dev/shm/$i || exit 9; i=$((i+1)); done"
            )
            #expect(inodes.exit != .exited(0))
            #expect(try await space.shell("ulimit -c").output == "0\n")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can plant a set-user-ID program"))
    func `a set-user-ID program and one with capabilities gain nothing`() async throws {
        try await SandboxHarness.run { server, harness in
            let space = try await harness.project(server, "setuid")
            let program = "\(harness.workspace("setuid"))/id"
            _ = try await space.shell("cp /usr/bin/id /workspace/id")
            try Files.setOwner(program, userID: 0, groupID: 0)
            try Files.setMode(program, 0o6755)
            #expect(try await space.outcome(["./id", "-u"]).output == "1000\n")
            #expect(try await harness.asNobody(program) == "0\n")
            let status = "\(harness.workspace("setuid"))/cat"
            _ = try await space.shell("cp /usr/bin/cat /workspace/cat")
            try Files.setOwner(status, userID: 0, groupID: 0)
            try Files.setMode(status, 0o755)
            try await harness.grantCapability(status)
            let inside = try await space.outcome(["./cat", "/proc/self/status"]).output
            #expect(inside.contains("CapEff:\t0000000000000000\n"))
            #expect(try await harness.asNobody(status, "/proc/self/status").contains("CapEff:\t0000000000000002\n"))
        }
    }
}

extension SandboxHarness {
    /// Gives a program CAP_DAC_OVERRIDE, permitted and effective, as root may.
    fileprivate func grantCapability(_ program: String) async throws {
        let script = "import os; os.setxattr('\(program)', 'security.capability', bytes([1, 0, 0, 2, 2] + [0] * 15))"
        let spec = ProcessSpec(path: "/usr/bin/python3", arguments: ["python3", "-c", script])
        #expect(try await ChildProcess.spawn(spec, on: loop).wait() == .exited(0))
    }

    /// Runs a program outside as an ordinary uid that may reach it, for a control.
    fileprivate func asNobody(_ program: String, _ arguments: String...) async throws -> String {
        for path in [projectsRoot, "\(projectsRoot)/setuid", workspace("setuid")] { try Files.setMode(path, 0o755) }
        let parent = String(projectsRoot[..<(projectsRoot.lastIndex(of: "/") ?? projectsRoot.endIndex)])
        try Files.setMode(parent, 0o755)
        var spec = ProcessSpec(
            path: "/usr/bin/setpriv",
            arguments: ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", program]
                + (arguments.isEmpty ? ["-u"] : arguments)
        )
        spec.standardOutput = .pipe
        let process = try ChildProcess.spawn(spec, on: loop)
        let output = try await process.stdout?.readToEnd() ?? ""
        _ = await process.wait()
        for path in [projectsRoot, "\(projectsRoot)/setuid", workspace("setuid")] { try Files.setMode(path, 0o700) }
        return output
    }
}
