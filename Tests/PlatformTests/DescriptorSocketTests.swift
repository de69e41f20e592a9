import Glibc
import Platform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DescriptorSocketTests {
    @Test func `a message carries descriptors that work and are closed on exec`() async throws {
        try await onLoop { loop in
            let (left, right) = try DescriptorSocket.pair()
            let sender = try DescriptorSocket(loop: loop, adopting: OwnedDescriptor(left))
            let receiver = try DescriptorSocket(loop: loop, adopting: OwnedDescriptor(right))
            let pipe = try makePipe()
            try await sender.send(Array("two ends".utf8), descriptors: [pipe.read, pipe.write])
            close(pipe.read)
            close(pipe.write)
            let message = try #require(try await receiver.receive(max: 100, maxDescriptors: 4))
            #expect(message.bytes == Array("two ends".utf8))
            try #require(message.descriptors.count == 2)
            #expect(message.descriptors.allSatisfy { fcntl($0, F_GETFD) & FD_CLOEXEC != 0 })
            let reader = try ByteSocket(loop: loop, adopting: OwnedDescriptor(message.descriptors[0]))
            let writer = try ByteSocket(loop: loop, adopting: OwnedDescriptor(message.descriptors[1]))
            try await writer.write([1, 2, 3])
            writer.close()
            #expect(try await reader.read(max: 10) == [1, 2, 3])
            sender.close()
            #expect(try await receiver.receive(max: 100, maxDescriptors: 4) == nil)
        }
    }

    @Test func `a passed listener accepts`() async throws {
        try await onLoop { loop in
            let (left, right) = try DescriptorSocket.pair()
            let sender = try DescriptorSocket(loop: loop, adopting: OwnedDescriptor(left))
            let receiver = try DescriptorSocket(loop: loop, adopting: OwnedDescriptor(right))
            let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            #expect(listen(raw, 8) == 0)
            try await sender.send([0], descriptors: [raw])
            close(raw)
            let message = try #require(try await receiver.receive(max: 1, maxDescriptors: 1))
            let listener = try ListeningSocket(loop: loop, adopting: OwnedDescriptor(message.descriptors[0]))
            let target = SocketAddress.ipv4([127, 0, 0, 1], port: listener.address.port)
            let client = try await ByteSocket.connect(to: target, on: loop, timeout: .seconds(5))
            let accepted = try await listener.accept()
            #expect(accepted.peer?.host == "127.0.0.1")
            close(accepted.descriptor)
            client.close()
        }
    }

    @Test func `messages keep their borders and a full socket makes the sender wait`() async throws {
        try await onLoop { loop in
            let (left, right) = try DescriptorSocket.pair()
            let sender = try DescriptorSocket(loop: loop, adopting: OwnedDescriptor(left))
            let receiver = try DescriptorSocket(loop: loop, adopting: OwnedDescriptor(right))
            loop.spawnLocal {
                for number in 0..<500 {
                    try? await sender.send(
                        [UInt8](repeating: UInt8(number % 251), count: 1 + number * 10),
                        descriptors: []
                    )
                }
                sender.close()
            }
            var sizes: [Int] = []
            while let message = try await receiver.receive(max: 10_000, maxDescriptors: 0) {
                sizes.append(message.bytes.count)
            }
            #expect(sizes == (0..<500).map { 1 + $0 * 10 })
        }
    }

    @Test func `what does not fit is refused and its descriptors are closed`() async throws {
        try await onLoop { loop in
            let (left, right) = try DescriptorSocket.pair()
            let sender = try DescriptorSocket(loop: loop, adopting: OwnedDescriptor(left))
            let receiver = try DescriptorSocket(loop: loop, adopting: OwnedDescriptor(right))
            let pipe = try makePipe()
            try await sender.send([1, 2, 3, 4], descriptors: [])
            try await sender.send([1], descriptors: [pipe.read, pipe.read, pipe.read])
            try await sender.send([1], descriptors: [pipe.read])
            let tooMuch = PlatformError(stage: "recvmsg", errno: EMSGSIZE)
            await #expect(throws: tooMuch) { _ = try await receiver.receive(max: 3, maxDescriptors: 1) }
            await #expect(throws: tooMuch) { _ = try await receiver.receive(max: 3, maxDescriptors: 2) }
            let fits = try #require(try await receiver.receive(max: 3, maxDescriptors: 1))
            #expect(fits.descriptors.count == 1)
            for raw in fits.descriptors + [pipe.read] { close(raw) }
            // Every copy is closed: the writer finds nobody. A child that another test is just starting may hold a
            // copy until it has executed its program.
            while unsafe write(pipe.write, "x", 1) == 1 { await loop.sleep(.milliseconds(1)) }
            close(pipe.write)
        }
    }
}
