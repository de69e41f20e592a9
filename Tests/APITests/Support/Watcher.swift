import Core
import HTTP
import Platform
import Testing

/// Somebody who watches a job's events on one replica until the stream ends.
final class Watcher {
    private let loop: EventLoop
    private let collector = BodyCollector()
    private let changed = LoopCondition()
    private(set) var status: Int?
    private(set) var hasEnded = false

    /// Opens the stream and waits for its first event.
    init(_ job: JobID, token: String, in world: APIWorld, replica: Int = 0) async throws {
        loop = world.loop
        collector.onWrite = { [changed] in changed.signalAll() }
        let request = try HTTPRequest(
            method: .get,
            target: "/v1/jobs/\(job)/events",
            headers: HTTPHeaders([("authorization", "Bearer \(token)")]),
            remoteAddress: "192.0.2.1",
            isSecure: true,
            authority: "errand.test"
        )
        let response = await world.replicas[replica].router.respond(to: request)
        status = response.status
        guard case .stream(_, let write) = response.body else { return }
        loop.spawnLocal { [self] in
            try? await write(collector)
            hasEnded = true
            changed.signalAll()
        }
        try #require(await wait(.seconds(10)) { !collector.bytes.isEmpty }, "no first event")
    }

    /// What has come so far.
    var text: String { String(decoding: collector.bytes, as: UTF8.self) }

    /// Whether the stream ends in time.
    func ends(within time: Duration) async -> Bool { await wait(time) { hasEnded } }

    /// Ends the stream from this side.
    func leave() { collector.isOpen = false }

    private func wait(_ time: Duration, until holds: () -> Bool) async -> Bool {
        let end = loop.now.advanced(by: time)
        while !holds() {
            guard loop.now < end else { return false }
            _ = await changed.wait(timeout: end - loop.now, on: loop)
        }
        return true
    }
}
