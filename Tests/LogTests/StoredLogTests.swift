import Core
import Crypto
import Log
import TestSupport
import Testing

@Suite struct StoredLogTests {
    @Test(arguments: [0, 1, 5, 40]) func `the end of what is stored is told as its worker would`(
        count: Int
    ) async throws {
        let world = World()
        world.claim()
        // More than is read at once.
        world.write((0..<count).map { String(repeating: "\($0 % 10)", count: 100_000) })
        world.persistAll()
        let bytes = (world.written[1] ?? []).flatMap(\.bytes)
        let end = try await StoredLog.end(of: world.attempt, in: world.store)
        #expect(end == LogEnd(lastSeq: UInt64(count), bytes: UInt64(bytes.count), sha256: Digest.sha256(bytes)))
    }

    @Test func `a hole in what is stored is no proof`() async throws {
        let world = World()
        world.claim()
        world.write(["a", "b", "c"])
        world.persistAll()
        world.store.forget(world.attempt, through: 1)
        await #expect(throws: StoreError.self) { try await StoredLog.end(of: world.attempt, in: world.store) }
    }
}
