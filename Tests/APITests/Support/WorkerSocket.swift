import Bytes
import Core
import HTTP
import Link
import Platform
import Store
import Testing

@testable import API

/// A worker's socket whose other end is the test.
final class WorkerSocket: WebSocketChannel {
    private let loop: EventLoop
    private let changed = LoopCondition()
    private var incoming: [WebSocketMessage] = []
    private(set) var texts: [String] = []
    private(set) var frames: [[UInt8]] = []
    private(set) var closed: UInt16?
    private var hasLeft = false
    private var hasEnded = false
    var onDisconnect: (() -> Void)?
    var onMessage: ((WebSocketMessage) -> Void)?
    var closeCode: UInt16? { nil }
    var isOpen: Bool { closed == nil && !hasLeft }

    /// Opens a socket that is served by `serve`.
    init(_ loop: EventLoop, _ serve: @escaping (WorkerSocket) async -> Void) {
        self.loop = loop
        loop.spawnLocal { [self] in
            await serve(self)
            hasEnded = true
            changed.signalAll()
        }
    }

    /// The worker sends a message.
    func say(_ message: WorkerControlMessage) {
        incoming.append(.text(String(decoding: message.encoded(), as: UTF8.self)))
        changed.signalAll()
    }

    /// The worker sends a frame.
    func say(_ message: WorkerBulkMessage) {
        incoming.append(.binary(message.encoded()))
        changed.signalAll()
    }

    /// The worker goes away, and waits until that was noticed.
    func leave() async {
        hasLeft = true
        changed.signalAll()
        _ = await wait { hasEnded }
    }

    /// Whether the API says something with this in it.
    func hears(_ part: String) async -> Bool { await wait { texts.contains { $0.contains(part) } } }

    /// Whether it comes to this in time.
    func wait(until holds: () -> Bool) async -> Bool {
        let end = loop.now.advanced(by: .seconds(10))
        while !holds() {
            guard loop.now < end else { return false }
            _ = await changed.wait(timeout: .milliseconds(20), on: loop)
        }
        return true
    }

    func receive() async throws(DisconnectedError) -> WebSocketMessage? {
        while incoming.isEmpty {
            guard isOpen else { return nil }
            await changed.wait()
        }
        return incoming.removeFirst()
    }

    func send(text: [UInt8]) async throws(DisconnectedError) {
        guard isOpen else { throw DisconnectedError("closed") }
        texts.append(String(decoding: text, as: UTF8.self))
        changed.signalAll()
    }

    func send(binary: [UInt8]) async throws(DisconnectedError) {
        guard isOpen else { throw DisconnectedError("closed") }
        frames.append(binary)
        changed.signalAll()
    }

    func close(code: UInt16, reason: String) async {
        if closed == nil { closed = code }
        changed.signalAll()
    }
}

extension APIWorld {
    /// A worker that has enrolled.
    func worker() async throws -> WorkerRecord {
        let id = WorkerID(at: time.now)
        let credential = Array(id.uuidBytes)
        let act = AuditDraft(at: time.now, team: nil, actor: .system, action: "worker.created")
        try await store.workers.createWorker(
            id,
            name: unique("worker"),
            enrolmentHash: credential,
            expiresAt: time.now.adding(seconds: 3_600),
            audit: act
        )
        let enrolled = try await store.workers.enrol(
            enrolmentHash: credential,
            credentialHash: credential,
            now: time.now,
            audit: { _ in act }
        )
        return try #require(enrolled)
    }
}
