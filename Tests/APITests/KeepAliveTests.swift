import HTTP
import Platform
import Testing

@testable import API

@Suite(.timeLimit(.minutes(1))) struct KeepAliveTests {
    /// A client that takes nothing until it is told to.
    private final class SlowWriter: ResponseBodyWriter {
        let isOpen = true
        var isSlow = true
        private(set) var begun: [[UInt8]] = []
        private(set) var ended = 0
        let changed = LoopCondition()

        func write(_ bytes: [UInt8]) async throws(DisconnectedError) {
            begun.append(bytes)
            changed.signalAll()
            while isSlow { await changed.wait() }
            ended += 1
            changed.signalAll()
        }
    }

    private func at(_ body: @escaping @Sendable (EventLoop) async throws -> Void) async throws {
        let loop = try EventLoop.start(name: "keep-alive-test")
        defer { loop.stop() }
        try await loop.run { try await body(loop) }
    }

    @Test func `the end of a stream waits for the comment that a slow client still takes`() async throws {
        try await at { loop in
            let writer = SlowWriter()
            var hasEnded = false
            let over = LoopCondition()
            loop.spawnLocal {
                let keepAlive = KeepAlive(writer, loop: loop, interval: .milliseconds(1)) {}
                try? await keepAlive.during { _ in while writer.begun.isEmpty { await writer.changed.wait() } }
                hasEnded = true
                over.signalAll()
            }
            while writer.begun.isEmpty { await writer.changed.wait() }
            #expect(writer.begun == [ServerSentEvents.keepAlive])
            // Turns enough for the body to have returned.
            for _ in 0..<4 { await loop.sleep(.zero) }
            #expect(!hasEnded && writer.ended == 0)
            writer.isSlow = false
            writer.changed.signalAll()
            while !hasEnded { await over.wait() }
            #expect(writer.ended == 1 && writer.begun.count == 1)
        }
    }

    @Test func `a comment and an event never mix`() async throws {
        try await at { loop in
            let writer = SlowWriter()
            try await KeepAlive(writer, loop: loop, interval: .milliseconds(1)) {}.during { keepAlive in
                while writer.begun.isEmpty { await writer.changed.wait() }
                var isSent = false
                let sent = LoopCondition()
                loop.spawnLocal {
                    try? await keepAlive.write([1])
                    isSent = true
                    sent.signalAll()
                }
                for _ in 0..<4 { await loop.sleep(.zero) }
                #expect(writer.begun.count == 1)
                writer.isSlow = false
                writer.changed.signalAll()
                while !isSent { await sent.wait() }
                #expect(writer.begun.contains([1]))
            }
            #expect(writer.begun.count == writer.ended)
        }
    }
}
