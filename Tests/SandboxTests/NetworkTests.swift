import Glibc
import Platform
import Sandbox
import Testing

@Suite struct NetworkTests {
    /// Connects to 127.0.0.1 and prints what comes, or the errno.
    private static func client(_ port: UInt16) -> [String] {
        let script = """
            import socket
            try:
                s = socket.create_connection(('127.0.0.1', \(port)), 10); s.sendall(b'ping'); print(s.recv(16).decode())
            except OSError as e: print('errno', e.errno)
            """
        return ["/usr/bin/python3", "-c", script]
    }

    @Test func `a program inside reaches the listener that was passed out`() async throws {
        try await SandboxHarness.run { server, harness in
            let space = try await server.create(ephemeral(port: 8080))
            guard let descriptor = space.takeListener() else { throw SandboxError.noListener }
            #expect(!space.handsOverListener())
            let listener = try ListeningSocket(loop: harness.loop, adopting: descriptor)
            let running = try await space.run(
                SandboxCommand(arguments: Self.client(8080), environment: SandboxProcessSpace.environment)
            )
            let accepted = try await listener.accept()
            let connection = try ByteSocket(loop: harness.loop, adopting: OwnedDescriptor(accepted.0))
            #expect(try await connection.read(max: 16) == Array("ping".utf8))
            try await connection.write(Array("pong".utf8))
            connection.close()
            #expect(try await running.stdout.readToEnd() == "pong\n")
            listener.close()
            await space.destroy()
        }
    }

    @Test func `the host's own loopback is out of reach`() async throws {
        try await SandboxHarness.run { server, harness in
            let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
            let listener = try ListeningSocket.bind(address, on: harness.loop, reusePort: false, backlog: 8)
            let port = listener.address.port
            // The control: from outside the same port answers.
            let outside = try await ByteSocket.connect(to: listener.address, on: harness.loop, timeout: .seconds(5))
            outside.close()
            let space = try await server.create(ephemeral())
            #expect(try await space.outcome(Self.client(port)).output == "errno \(ECONNREFUSED)\n")
            listener.close()
        }
    }

    @Test func `what listens inside is heard inside and not outside`() async throws {
        try await SandboxHarness.run { server, harness in
            let space = try await server.create(ephemeral())
            let script = """
                import socket, sys
                l = socket.create_server(('0.0.0.0', 18081)); c = socket.create_connection(('127.0.0.1', 18081))
                print('inside', flush=True); sys.stdin.read()
                """
            var command = SandboxCommand(
                arguments: ["/usr/bin/python3", "-c", script],
                environment: SandboxProcessSpace.environment
            )
            command.stdin = .pipe
            let running = try await space.run(command)
            #expect(try await running.stdout.read(max: 16) == Array("inside\n".utf8))
            let address = try #require(SocketAddress(host: "127.0.0.1", port: 18_081))
            let error = await #expect(throws: PlatformError.self) {
                _ = try await ByteSocket.connect(to: address, on: harness.loop, timeout: .seconds(5))
            }
            #expect(error?.errno == ECONNREFUSED)
        }
    }

    @Test func `two sandboxes listen on one port`() async throws {
        try await SandboxHarness.run { server, _ in
            let first = try await server.create(ephemeral("first", port: 8080))
            let second = try await server.create(ephemeral("second", port: 8080))
            #expect(first.handsOverListener())
            #expect(second.handsOverListener())
        }
    }

    @Test func `names do not resolve and only loopback is up`() async throws {
        try await SandboxHarness.run { server, _ in
            let space = try await server.create(ephemeral())
            let script = """
                import socket
                try: print(socket.getaddrinfo('errand.invalid', 80))
                except socket.gaierror: print('unresolved')
                print(socket.getaddrinfo('localhost', 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
                print([line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line])
                """
            let outcome = try await space.outcome(["/usr/bin/python3", "-c", script])
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.first == "unresolved")
            #expect(lines.dropFirst().first == "127.0.0.1")
            #expect(lines.last?.contains("'eth0'") == false)
            #expect(lines.last?.contains("'lo'") == true)
        }
    }
}

extension SandboxError {
    fileprivate static let noListener = SandboxError(step: "listener", errno: ENOENT, message: "none came")
}

extension SandboxProcessSpace {
    fileprivate func handsOverListener() -> Bool {
        switch takeListener() {
        case .some: true
        case .none: false
        }
    }
}
