import Core
import HTTP
import Link
import Platform

/// One bulk socket: records out as the API grants credit, positions in, workspaces both ways.
///
/// Loop-confined.
final class BulkLink {
    private let channel: any WebSocketChannel
    private let table: AttemptTable
    private let desk: TransferDesk
    private let loop: EventLoop
    private let changed = LoopCondition()
    private var window = CreditWindow()
    private(set) var isOpen = true
    private var isSending = false

    /// Takes over an open socket.
    init(_ channel: any WebSocketChannel, table: AttemptTable, desk: TransferDesk, loop: EventLoop) {
        self.channel = channel
        self.table = table
        self.desk = desk
        self.loop = loop
    }

    /// Serves the socket until it ends.
    func run(epoch: Int64) async {
        guard await send(.open(epoch: epoch)) else { return }
        table.resetBulk()
        isSending = true
        loop.spawnLocal { [self] in
            await sendRecords()
            isSending = false
            changed.signalAll()
        }
        while isOpen, let (message, cost) = await receive() { await take(message, cost: cost) }
        await close()
        while isSending { await changed.wait() }
    }

    /// Has the table's news sent.
    func wake() { changed.signalAll() }

    /// Sends one message; false when the socket is gone.
    func send(_ message: WorkerBulkMessage) async -> Bool {
        guard isOpen else { return false }
        do throws(DisconnectedError) {
            try await channel.send(binary: message.encoded())
            return true
        } catch {
            await close()
            return false
        }
    }

    /// Ends the socket in good order.
    func close(code: UInt16 = LinkCloseCode.goingAway) async {
        guard isOpen else { return }
        isOpen = false
        changed.signalAll()
        await channel.close(code: code, reason: "")
    }

    private func receive() async -> (APIBulkMessage, cost: Int)? {
        do {
            switch try await channel.receive() {
            case .binary(let frame): return (try APIBulkMessage(decoding: frame), frame.count)
            case .text:
                await close(code: LinkCloseCode.protocolError)
                return nil
            case nil: return nil
            }
        } catch is LinkError {
            await close(code: LinkCloseCode.protocolError)
            return nil
        } catch {
            return nil
        }
    }

    private func take(_ message: APIBulkMessage, cost: Int) async {
        switch message {
        case .durable(let attempt, let seq): table.held[attempt]?.spool.acknowledge(seq)
        case .expected(let attempt, let next): table.held[attempt]?.spool.rewind(to: next)
        case .stale(let attempt): table.discard(attempt)
        case .credit(let bytes):
            guard window.grant(bytes) else { return await close(code: LinkCloseCode.protocolError) }
            changed.signalAll()
        case .chunk(let transfer, let bytes): desk.deliver(.chunk(bytes, cost: cost), to: transfer)
        case .end(let transfer, let error): desk.deliver(.end(error), to: transfer)
        case .transferCredit(let transfer, let bytes): desk.deliver(.credit(bytes), to: transfer)
        }
    }

    private func sendRecords() async {
        while isOpen {
            guard window.isOpen, let attempt = table.nextReady() else {
                await changed.wait()
                continue
            }
            if let frames = await attempt.spool.takeUnsent() {
                await send(frames, of: attempt)
                if attempt.spool.hasUnsent || attempt.end != nil { table.makeReady(attempt.attempt) }
            } else if attempt.end != nil, !attempt.isEndMarked, attempt.spool.isSent, !attempt.spool.isStored {
                // Nothing more comes: the API need not wait for company.
                attempt.isEndMarked = true
                await send([], of: attempt)
            }
        }
    }

    private func send(_ frames: [UInt8], of attempt: HeldAttempt) async {
        let message = WorkerBulkMessage.records(attempt.attempt, frames: frames)
        // The length of the frame is its type, the job, the attempt's number and the records.
        window.spend(frames.count + 21)
        _ = await send(message)
    }
}
