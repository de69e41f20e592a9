import Glibc
import Operations
import Platform
import TestSupport
import Testing

@testable import Commands

struct SigningKeyWatchTests {
    @Test func `keys that cannot be read are told of once for each time that this begins`() async throws {
        let directory = try TestDirectory.make("signing-keys")
        defer { try? Files.removeTree(directory) }
        try Files.createDirectory("\(directory)/secrets")
        let file = SigningKeyFile(try Configuration.load(environment: ["ERRAND_DATA": directory]))
        let (set, text) = try file.loadOrMake()
        let output = "\(directory)/log"
        let descriptor = unsafe open(output, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, mode_t(0o600))
        defer { close(descriptor) }
        let log = try StructuredLog(level: .debug, descriptor: descriptor)
        let loop = try EventLoop.start(name: "watch")
        defer { loop.stop() }
        let path = file.path
        let readings = try await loop.run { () -> Int in
            let makeKeys = { TokenKeys($0, publicURL: "https://errand.test") }
            let feed = KeyRingFeed(makeKeys(set))
            let readings = Lock(-1)
            feed.listen { _ in readings.withLock { $0 += 1 } }
            let watch = SigningKeyWatch(file, text: text, feed: feed, log: log, loop: loop, makeKeys: makeKeys)
            func look(_ times: Int) async { for _ in 0..<times { await watch.look() } }
            await look(2)
            try Files.remove(path)
            await look(3)
            try Files.writeAtomically(path, text)
            await look(2)
            try Files.remove(path)
            await look(3)
            try Files.writeAtomically(path, Array("no keys".utf8))
            await look(3)
            try Files.writeAtomically(path, text)
            await look(2)
            return readings.withLock { $0 }
        }
        log.close()
        let lines = String(decoding: try Files.readAll(output, limit: 1 << 20), as: UTF8.self).split(separator: "\n")
        #expect(lines.count { $0.contains("not reloaded") } == 3, "\(lines)")
        #expect(lines.count { $0.contains("signing keys reloaded") } == 1 && readings == 1, "\(lines)")
    }
}
