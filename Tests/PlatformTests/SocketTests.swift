import Glibc
import Platform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SocketTests {
    @Test(arguments: ["127.0.0.1", "::1"])
    func `a connection carries a megabyte both ways`(host: String) async throws {
        try await onLoop { loop in
            let address = try #require(SocketAddress(host: host, port: 0))
            let listener = try ListeningSocket.bind(address, on: loop, reusePort: true, backlog: 16)
            #expect(listener.address.port != 0)
            loop.spawnLocal { await echo(listener, on: loop) }
            let socket = try await ByteSocket.connect(to: listener.address, on: loop, timeout: .seconds(10))
            let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            loop.spawnLocal {
                try? await socket.write(bytes)
                socket.shutdownWrite()
            }
            var back: [UInt8] = []
            while case let part = try await socket.read(max: 70_000), !part.isEmpty { back += part }
            #expect(back == bytes)
            #expect(try await socket.read(max: 10).isEmpty)
            socket.close()
            listener.close()
        }
    }

    @Test func `a thousand connections to a Unix listener are all served`() async throws {
        let path = "/tmp/errand-test-\(getpid()).sock"
        unsafe unlink(path)
        try await onLoop { loop in
            let listener = try ListeningSocket.bind(.unix(path: path), on: loop, reusePort: false, backlog: 8)
            #expect(listener.address == .unix(path: path))
            loop.spawnLocal { await echo(listener, on: loop) }
            let served = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        try await loop.run {
                            let socket = try await ByteSocket.connect(
                                to: .unix(path: path),
                                on: loop,
                                timeout: .seconds(30)
                            )
                            let message = Array("hello \(number)".utf8)
                            try await socket.write(message)
                            let answer = try await socket.read(max: 100)
                            socket.close()
                            return answer == message
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(served == 1000)
            listener.close()
        }
        unsafe unlink(path)
    }

    @Test func `a refused and a timed out connection name their stage`() async throws {
        try await onLoop { loop in
            // Bound, so that nobody else gets the port, but not listening.
            let address = try bindOnly()
            await #expect(throws: PlatformError(stage: "connect(\(address))", errno: ECONNREFUSED)) {
                _ = try await ByteSocket.connect(to: address, on: loop, timeout: .seconds(5))
            }
            let full = try ListeningSocket.bind(.ipv4([127, 0, 0, 1], port: 0), on: loop, reusePort: false, backlog: 0)
            var held: [ByteSocket] = []
            var failure: PlatformError?
            // A listener that never accepts: its backlog fills, then the handshake hangs.
            for _ in 0..<8 where failure == nil {
                do throws(PlatformError) {
                    let socket = try await ByteSocket.connect(
                        to: full.address,
                        on: loop,
                        timeout: .milliseconds(50)
                    )
                    held.append(socket)
                } catch {
                    failure = error
                }
            }
            #expect(failure == PlatformError(stage: "connect(\(full.address))", errno: ETIMEDOUT))
            full.close()
        }
    }

    @Test func `closing ends a waiting accept and a waiting read`() async throws {
        try await onLoop { loop in
            let listener = try ListeningSocket.bind(
                .ipv4([127, 0, 0, 1], port: 0),
                on: loop,
                reusePort: false,
                backlog: 8
            )
            let socket = try await ByteSocket.connect(to: listener.address, on: loop, timeout: .seconds(5))
            _ = loop.schedule(after: .milliseconds(2)) {
                listener.close()
                socket.close()
            }
            let accepted = try await listener.accept()
            close(accepted.descriptor)
            await #expect(throws: PlatformError(stage: "accept", errno: ECANCELED)) { _ = try await listener.accept() }
            await #expect(throws: PlatformError(stage: "read", errno: ECANCELED)) { _ = try await socket.read(max: 1) }
        }
    }

    @Test func `a broken pipe is an error, not a signal`() async throws {
        try await onLoop { loop in
            let pipe = try makePipe()
            let writer = try ByteSocket(loop: loop, adopting: OwnedDescriptor(pipe.write))
            close(pipe.read)
            await #expect(throws: PlatformError(stage: "write", errno: EPIPE)) { try await writer.write([1]) }
        }
    }

    @Test func `data and the end that arrive together are both seen`() async throws {
        try await onLoop { loop in
            let (near, far) = try makeSocketPair()
            unsafe write(far, "last words", 10)
            close(far)
            let socket = try ByteSocket(loop: loop, adopting: OwnedDescriptor(near))
            #expect(try await socket.read(max: 100) == Array("last words".utf8))
            #expect(try await socket.read(max: 100).isEmpty)
        }
    }

    @Test func `a greedy reader lets timers run`() async throws {
        try await onLoop { loop in
            let (near, far) = try makeSocketPair()
            let reader = try ByteSocket(loop: loop, adopting: OwnedDescriptor(near))
            let writer = try ByteSocket(loop: loop, adopting: OwnedDescriptor(far))
            let chunk = [UInt8](repeating: 7, count: 64 * 1024)
            var isOver = false
            _ = loop.schedule(after: .milliseconds(5)) {
                isOver = true
                writer.close()
            }
            loop.spawnLocal {
                while !isOver { try? await writer.write(chunk) }
            }
            while case let part = try await reader.read(max: 1024), !part.isEmpty {}
            #expect(isOver)
        }
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("[2001:db8::7]", "[2001:db8::7]:80"),
    ])
    func `numeric hosts become addresses`(host: String, text: String) throws {
        #expect(try #require(SocketAddress(host: host, port: 80)).description == text)
    }

    @Test(arguments: ["localhost", "", "127.1", "1.2.3.4.5", "::g", "[::1"])
    func `other hosts do not`(host: String) {
        #expect(SocketAddress(host: host, port: 80) == nil)
    }

    @Test func `names resolve off the loop`() async throws {
        try await onLoop { loop in
            let addresses = try await NameResolver.resolve(host: "localhost", port: 81)
            #expect(addresses.contains(.ipv4([127, 0, 0, 1], port: 81)) || addresses.contains { $0.host == "::1" })
            #expect(loop.isOnLoop)
        }
    }

    @Test func `a path that does not fit into an address is refused`() async throws {
        try await onLoop { loop in
            let path = "/tmp/" + String(repeating: "x", count: 200)
            await #expect(throws: PlatformError(stage: "address(unix:\(path))", errno: ENAMETOOLONG)) {
                _ = try await ByteSocket.connect(to: .unix(path: path), on: loop, timeout: .seconds(1))
            }
        }
    }
}

private func echo(_ listener: ListeningSocket, on loop: EventLoop) async {
    while let (raw, _) = try? await listener.accept() {
        guard let socket = try? ByteSocket(loop: loop, adopting: OwnedDescriptor(raw)) else { continue }
        loop.spawnLocal {
            while let bytes = try? await socket.read(max: 16_384), !bytes.isEmpty { try? await socket.write(bytes) }
            socket.close()
        }
    }
}

/// The address of a socket that stays bound to the end of the process and never listens.
private func bindOnly() throws -> SocketAddress {
    let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var form = sockaddr_in()
    form.sin_family = sa_family_t(AF_INET)
    form.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &form) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            unsafe bind(raw, address, length) == 0 && getsockname(raw, address, &length) == 0
        }
    }
    guard result else { throw PlatformError(stage: "bind", errno: errno) }
    return .ipv4([127, 0, 0, 1], port: UInt16(bigEndian: form.sin_port))
}
