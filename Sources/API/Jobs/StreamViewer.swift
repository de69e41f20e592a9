import HTTP
import Log
import Platform

/// One WebSocket that watches a job.
///
/// Reading and sending happen in tasks that end when there is nothing more to send: a task keeps the memory of its
/// deepest call, and thousands of viewers of silent jobs must not each hold a query's worth of it.
final class StreamViewer {
    private let follower: LogFollower
    private let channel: any WebSocketChannel
    private let loop: EventLoop
    private let mayGoOn: () async -> Bool
    private let done = LoopCondition()
    private var isWorking = false
    private var rest: LogFollower.Rest?
    /// How the socket is to be closed once `run` has returned.
    private(set) var closeCode = StreamCloseCode.ended
    private(set) var closeReason = ""

    /// Asks `mayGoOn` whether the viewer's sign-in still stands before anything is sent.
    init(
        _ follower: LogFollower,
        _ channel: any WebSocketChannel,
        loop: EventLoop,
        mayGoOn: @escaping () async -> Bool
    ) {
        self.follower = follower
        self.channel = channel
        self.loop = loop
        self.mayGoOn = mayGoOn
    }

    /// Sends events until the stream has ended, cannot be read, or the viewer has gone.
    func run() async {
        repeat {
            rest = nil
            isWorking = true
            loop.spawnLocal { await self.work() }
            while isWorking { await done.wait() }
            if let rest { await follower.rest(rest) }
        } while rest != nil
    }

    /// Sends what there is; leaves `rest` when more may come.
    private func work() async {
        do {
            try await send()
        } catch {
            closeCode = StreamCloseCode.tryAgain
            closeReason = "the log cannot be read now"
        }
        isWorking = false
        done.signalAll()
    }

    private func send() async throws {
        while channel.isOpen {
            switch try await follower.attempt() {
            case .events(let events):
                guard await mayGoOn() else {
                    closeCode = StreamCloseCode.revoked
                    closeReason = "the sign-in was revoked"
                    return
                }
                for event in events { try await channel.send(text: event.json) }
            case .rest(let rest): return self.rest = rest
            case .ended: return
            }
        }
    }
}
