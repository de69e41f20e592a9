import HTTP
import Platform

/// Comments on a quiet stream, so that proxies keep it open and a client that has gone is noticed.
final class KeepAlive {
    /// Below the 30 s after which common proxies cut a silent stream.
    static let interval = Duration.seconds(15)

    private let interval: Duration
    private let writer: any ResponseBodyWriter
    private let loop: EventLoop
    private let onGone: () -> Void
    private var timer: LoopTimer?
    private var isWriting = false
    private let written = LoopCondition()

    init(
        _ writer: any ResponseBodyWriter,
        loop: EventLoop,
        interval: Duration = KeepAlive.interval,
        onGone: @escaping () -> Void
    ) {
        self.interval = interval
        self.writer = writer
        self.loop = loop
        self.onGone = onGone
    }

    /// Runs `body` and returns when no comment is being written any more: what follows is the next writer.
    func during(_ body: (KeepAlive) async throws -> Void) async throws {
        start()
        do {
            try await body(self)
            await stop()
        } catch {
            await stop()
            throw error
        }
    }

    private func start() {
        timer = loop.schedule(after: interval) { [weak self] in self?.tick() }
    }

    private func stop() async {
        timer?.cancel()
        timer = nil
        while isWriting { await written.wait() }
    }

    func write(_ bytes: [UInt8]) async throws(DisconnectedError) {
        while isWriting { await written.wait() }
        isWriting = true
        try await put(bytes)
    }

    private func put(_ bytes: [UInt8]) async throws(DisconnectedError) {
        defer {
            isWriting = false
            written.signalAll()
        }
        try await writer.write(bytes)
    }

    private func tick() {
        guard timer != nil else { return }
        start()
        guard !isWriting else { return }
        // Claimed before the task begins, so that the end of the stream waits for it.
        isWriting = true
        loop.spawnLocal {
            do throws(DisconnectedError) { try await self.put(ServerSentEvents.keepAlive) } catch { self.onGone() }
        }
    }
}
