import Platform
import Testing

@testable import Commands

struct OutputQueueTests {
    private static func run(
        _ style: OutputStyle = OutputStyle(),
        accepts: @escaping @Sendable () -> Bool = { true },
        _ body: @escaping @Sendable (OutputQueue) async -> Void
    ) throws -> [String] {
        let written = Lock<[String]>([])
        try EventLoop.runMain { loop in
            let queue = OutputQueue(loop: loop, style: style) { pieces in
                written.withLock { all in
                    all += pieces.map { "\($0.descriptor):" + String(decoding: $0.bytes, as: UTF8.self) }
                }
                return accepts()
            }
            await body(queue)
            await queue.flush()
        }
        return written.withLock { $0 }
    }

    @Test func `pieces keep their order over both outputs`() throws {
        let written = try Self.run { queue in
            await queue.put([
                .result(Array("a".utf8)), .result(Array("b".utf8)), .noteLine("c"), .result(Array("d".utf8)),
            ])
        }
        #expect(written == ["1:ab", "2:c\n", "1:d"])
    }

    @Test func `a status goes away before anything else is shown`() throws {
        let written = try Self.run(OutputStyle(isNoteTerminal: true)) { queue in
            queue.status("queued")
            await queue.flush()
            queue.status("running")
            await queue.put([.result(Array("x".utf8))])
        }
        #expect(written.joined(separator: " ") == "2:queued\r\u{1b}[K 2:running\r\u{1b}[K 1:x")
    }

    @Test func `without a terminal there is no status`() throws {
        #expect(try Self.run { queue in queue.status("queued") } == [])
    }

    @Test func `when nobody reads any more nothing else is kept`() throws {
        let written = try Self.run(accepts: { false }) { queue in
            await queue.put([.result(Array("x".utf8))])
            await queue.flush()
            #expect(queue.isBroken)
            await queue.put([.result([UInt8](repeating: 0x79, count: 4 << 20))])
        }
        #expect(written == ["1:x"])
    }
}

struct TarTests {
    private static func inTemporaryDirectory(
        _ body: @escaping @Sendable (EventLoop, String) async throws -> Void
    ) throws {
        let root = "/tmp/errand-tar-\(UInt32.random(in: 0 ... .max))"
        defer { try? Files.removeTree(root) }
        try Files.createDirectory(root + "/from/sub")
        try Files.createDirectory(root + "/to")
        try Files.writeAtomically(root + "/from/sub/kept.txt", Array("kept".utf8), mode: 0o755)
        try Files.writeAtomically(root + "/from/left.log", Array("left".utf8))
        try EventLoop.runMain { loop in try await body(loop, root) }
    }

    @Test func `what is packed can be unpacked, but what was excluded`() throws {
        try Self.inTemporaryDirectory { loop, root in
            let packing = try Tar.packing(root + "/from", excluding: ["*.log"], honouringIgnoreFiles: false, on: loop)
            let unpacking = try Tar.unpacking(into: root + "/to", on: loop)
            while let piece = try await packing.next() { try await unpacking.write(piece) }
            try await unpacking.finish()
            #expect(try Files.list(root + "/to") == ["sub"])
            #expect(try Files.readAll(root + "/to/sub/kept.txt", limit: 10) == Array("kept".utf8))
            #expect(try Files.status(root + "/to/sub/kept.txt")?.mode == 0o755)
        }
    }

    @Test func `what is no archive is a failure`() throws {
        try Self.inTemporaryDirectory { loop, root in
            let unpacking = try Tar.unpacking(into: root + "/to", on: loop)
            try await unpacking.write([UInt8](repeating: 0x78, count: 2_048))
            await #expect(throws: CommandFailure.self) { try await unpacking.finish() }
            #expect(try Files.list(root + "/to") == [])
        }
    }

    @Test func `what cannot be packed is no archive`() throws {
        try Self.inTemporaryDirectory { loop, root in
            let packing = try Tar.packing(root + "/nowhere", excluding: [], honouringIgnoreFiles: false, on: loop)
            await #expect(throws: CommandFailure.self) {
                while try await packing.next() != nil {}
            }
        }
    }
}
