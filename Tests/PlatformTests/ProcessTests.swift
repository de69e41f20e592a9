import Glibc
import Platform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ProcessTests {
    @Test(arguments: [0, 1, 42, 255])
    func `exit codes come back`(code: Int32) async throws {
        let status = try await onLoop { loop in
            try await ChildProcess.spawn(shell("exit \(code)"), on: loop).wait()
        }
        #expect(status == .exited(code))
    }

    @Test(arguments: [SIGTERM, SIGKILL, SIGUSR1])
    func `signals reach the child and come back`(number: Int32) async throws {
        let status = try await onLoop { loop in
            let child = try ChildProcess.spawn(program("/bin/sleep", "1000"), on: loop)
            #expect(await child.wait(timeout: .milliseconds(2)) == nil)
            child.signal(number)
            let status = await child.wait()
            child.signal(SIGKILL)
            return status
        }
        #expect(status == .signaled(number))
    }

    @Test func `a hundred children at once are all reaped`() async throws {
        try await onLoop { loop in
            var children: [ChildProcess] = []
            for number in 0..<100 { children.append(try ChildProcess.spawn(shell("exit \(number)"), on: loop)) }
            for (number, child) in children.enumerated() {
                #expect(await child.wait() == .exited(Int32(number)))
                #expect(kill(child.pid, 0) == -1 && errno == ESRCH)
            }
        }
    }

    @Test func `the standard streams are pipes where asked`() async throws {
        try await onLoop { loop in
            var spec = shell("read line; echo \"out $line\"; echo err >&2")
            (spec.standardInput, spec.standardOutput, spec.standardError) = (.pipe, .pipe, .pipe)
            let child = try ChildProcess.spawn(spec, on: loop)
            try await child.stdin?.write(Array("hello\n".utf8))
            child.stdin?.close()
            #expect(await readAll(child.stdout) == "out hello\n")
            #expect(await readAll(child.stderr) == "err\n")
            #expect(await child.wait() == .exited(0))
        }
    }

    @Test func `the environment and the directory are exactly what was given`() async throws {
        try await onLoop { loop in
            var spec = ProcessSpec(path: "/usr/bin/env", arguments: ["env"], environment: ["B": "2", "A": "1=x"])
            spec.standardOutput = .pipe
            let environment = try await output(of: spec, on: loop)
            #expect(environment == "A=1=x\nB=2\n")
            spec = program("/bin/pwd")
            spec.workingDirectory = "/proc"
            spec.standardOutput = .pipe
            let directory = try await output(of: spec, on: loop)
            #expect(directory == "/proc\n")
        }
    }

    @Test func `no descriptor leaks into a child, and mapped ones keep their numbers`() async throws {
        try await onLoop { loop in
            // Deliberately not close-on-exec.
            let leak = try makePipe()
            let given = try makePipe()
            var spec = program("/bin/ls", "/proc/self/fd")
            spec.standardOutput = .pipe
            // Crossed with open numbers, so that a naive dup2 would overwrite a source.
            spec.extraDescriptors = [(child: 5, raw: given.read), (child: given.read, raw: given.write)]
            let names = try await output(of: spec, on: loop).split(separator: "\n")
            let expected = Set([0, 1, 2, 5, given.read])
            // `ls` itself opens the directory under the lowest free number.
            let own = Int32((3...).first { !expected.contains(Int32($0)) } ?? 3)
            #expect(Set(names.compactMap { Int32($0) }) == expected.union([own]))
            for raw in [leak.read, leak.write, given.read, given.write] { close(raw) }
        }
    }

    @Test func `a child has default signals and none blocked, whatever its parent does`() async throws {
        try await onLoop { loop in
            SignalStream.block([SIGTERM, SIGUSR2])
            var spec = program("/bin/grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status")
            spec.standardOutput = .pipe
            let text = try await output(of: spec, on: loop)
            #expect(text == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
        }
    }

    @Test func `a program that cannot be executed names the stage and the reason`() async throws {
        try await onLoop { loop in
            #expect(throws: PlatformError(stage: "spawn(/no/such): execve", errno: ENOENT)) {
                _ = try ChildProcess.spawn(program("/no/such"), on: loop)
            }
            var spec = program("/bin/true")
            spec.workingDirectory = "/no/such"
            #expect(throws: PlatformError(stage: "spawn(/bin/true): chdir", errno: ENOENT)) {
                _ = try ChildProcess.spawn(spec, on: loop)
            }
            #expect(throws: PlatformError(stage: "spawn(/bin/true)", errno: EINVAL)) {
                _ = try ChildProcess.spawn(program("/bin/true", "a\0b"), on: loop)
            }
        }
    }

    @Test func `a new session can be signalled as a group`() async throws {
        try await onLoop { loop in
            var spec = shell("sleep 1000 & echo $!; wait")
            spec.newSession = true
            spec.standardOutput = .pipe
            let child = try ChildProcess.spawn(spec, on: loop)
            let line = String(decoding: await firstLine(child.stdout), as: UTF8.self)
            let grandchild = try #require(Int32(line))
            #expect(getpgid(grandchild) == child.pid)
            #expect(getsid(child.pid) == child.pid)
            child.signalGroup(SIGKILL)
            #expect(await child.wait() == .signaled(SIGKILL))
            // The end of the pipe shows that the grandchild is gone as well.
            #expect(await readAll(child.stdout).isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `a child dies with the thread that started it exactly when asked`(dies: Bool) async throws {
        let starter = try EventLoop.start(name: "starter")
        let pipe = try makePipe()
        let pid = try await starter.run {
            var spec = program("/bin/sleep", "1000")
            spec.standardOutput = .descriptor(pipe.write)
            spec.dieWithParent = dies
            return try ChildProcess.spawn(spec, on: starter).pid
        }
        close(pipe.write)
        starter.stop()
        try await onLoop { loop in
            let output = try ByteSocket(loop: loop, adopting: OwnedDescriptor(pipe.read))
            if dies {
                #expect(try await output.read(max: 1).isEmpty)
            } else {
                await loop.sleep(.milliseconds(20))
                #expect(kill(pid, SIGKILL) == 0)
                #expect(try await output.read(max: 1).isEmpty)
            }
        }
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }

    @Test func `signals come as values`() async throws {
        try await onLoop { loop in
            SignalStream.block([SIGUSR1, SIGUSR2])
            let signals = try SignalStream([SIGUSR1, SIGUSR2], on: loop)
            pthread_kill(pthread_self(), SIGUSR2)
            #expect(await signals.next() == SIGUSR2)
            _ = loop.schedule(after: .milliseconds(2)) { pthread_kill(pthread_self(), SIGUSR1) }
            #expect(await signals.next() == SIGUSR1)
            _ = loop.schedule(after: .milliseconds(2)) { signals.close() }
            #expect(await signals.next() == nil)
        }
    }
}

private func program(_ path: String, _ arguments: String...) -> ProcessSpec {
    ProcessSpec(path: path, arguments: [path] + arguments)
}

private func shell(_ script: String) -> ProcessSpec {
    ProcessSpec(path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"])
}

/// What a program writes to its end, after which it has been reaped: a zombie would keep exit tests waiting for ever.
private func output(of spec: ProcessSpec, on loop: EventLoop) async throws -> String {
    let child = try ChildProcess.spawn(spec, on: loop)
    let text = await readAll(child.stdout)
    #expect(await child.wait() == .exited(0))
    return text
}

private func readAll(_ socket: ByteSocket?) async -> String {
    var bytes: [UInt8] = []
    while let part = try? await socket?.read(max: 4096), !part.isEmpty { bytes += part }
    return String(decoding: bytes, as: UTF8.self)
}

private func firstLine(_ socket: ByteSocket?) async -> [UInt8] {
    var bytes: [UInt8] = []
    while let part = try? await socket?.read(max: 1), !part.isEmpty, part != [10] { bytes += part }
    return bytes
}
