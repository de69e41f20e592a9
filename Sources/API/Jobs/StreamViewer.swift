import Bytes
import Core
import HTTP
import Log
import Platform

/// One WebSocket that watches a job.
///
/// Reading and sending happen in tasks that end when there is nothing more to send: a task keeps the memory of its
/// deepest call, and thousands of viewers of silent jobs must not each hold a query's worth of it. For the same reason
/// messages of the client come by a callback.
final class StreamViewer: LiveStream {
    /// What a viewer may send: nothing but a token, which a tenth of this holds.
    static let limits = WebSocketLimits(maximumMessage: 16 << 10)

    private let job: JobID
    private let follower: LogFollower
    private let channel: any WebSocketChannel
    private let rights: any StreamRights
    private let loop: EventLoop
    private let done = LoopCondition()
    private var isWorking = false
    private var isRenewing = false
    private var isClosing = false
    private var rest: LogFollower.Rest?
    private(set) var principal: Principal
    /// How the socket is to be closed once `run` has returned.
    private(set) var closing = (code: StreamCloseCode.ended, reason: "")

    /// Asks `rights` whether the viewer may go on before anything is sent.
    init(
        _ job: JobID,
        _ follower: LogFollower,
        _ channel: any WebSocketChannel,
        _ principal: Principal,
        rights: any StreamRights
    ) {
        self.job = job
        self.follower = follower
        self.channel = channel
        self.principal = principal
        self.rights = rights
        loop = rights.loop
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

    /// Ends the stream at once, also under a viewer who takes nothing.
    func cut(_ end: StreamEnd) {
        close(end.closeCode, end.text)
    }

    /// Takes what the client says: a newer token, or something that we do not know and ignore.
    func take(_ message: WebSocketMessage) {
        guard case .text(let text) = message, let token = StreamMessage.token(in: text) else { return }
        // Each costs a signature and perhaps a query: one at a time bounds what one socket can ask for.
        guard !isRenewing else {
            return close(StreamCloseCode.impatient, "wait for auth_ok before sending another auth message")
        }
        isRenewing = true
        loop.spawnLocal {
            await self.renew(token)
            self.isRenewing = false
        }
    }

    private func renew(_ token: String) async {
        do {
            let fresh = try await rights.renewed(token, on: job)
            guard fresh.account == principal.account else { return cut(.refused) }
            principal = fresh
            try await channel.send(text: StreamMessage.accepted(until: fresh.expiresAt, now: rights.now))
        } catch let error as ProblemError where (401...404).contains(error.problem.status) {
            cut(.refused)
        } catch is Refusal {
            cut(.refused)
        } catch is DisconnectedError {
            follower.close()
        } catch {
            close(StreamCloseCode.tryAgain, "the token cannot be checked now")
        }
    }

    /// Sends what there is; leaves `rest` when more may come.
    private func work() async {
        do {
            try await send()
        } catch {
            // A viewer whose socket we are closing already can take nothing more.
            if !isClosing { closing = (StreamCloseCode.tryAgain, "the log cannot be read now") }
        }
        isWorking = false
        done.signalAll()
    }

    private func send() async throws {
        while channel.isOpen {
            switch try await follower.attempt() {
            case .events(let events):
                if let end = await rights.endOfStream(principal) { return cut(end) }
                for event in events { try await channel.send(text: event.json) }
            case .rest(let rest): return self.rest = rest
            case .ended: return
            }
        }
    }

    private func close(_ code: UInt16, _ reason: String) {
        guard !isClosing else { return }
        isClosing = true
        closing = (code, reason)
        follower.close()
        loop.spawnLocal { [channel] in await channel.close(code: code, reason: reason) }
    }
}

/// What a stream asks about the right to it.
protocol StreamRights: AnyObject {
    /// The loop that the stream lives on.
    var loop: EventLoop { get }
    /// The time now.
    var now: Timestamp { get }

    /// Why a stream of this person has to end, or nil while it may go on.
    func endOfStream(_ principal: Principal) async -> StreamEnd?

    /// The person behind a newer token; a problem of status 401 to 404 when it does not open the job.
    func renewed(_ token: String, on job: JobID) async throws -> Principal
}

extension Endpoints: StreamRights {
    var loop: EventLoop { services.loop }
    var now: Timestamp { services.time.now }
}
