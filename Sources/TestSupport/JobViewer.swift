package import Bytes
import HTTP
import Platform
import Transport

/// A job's live stream as a careful viewer holds it: it comes back after a cut, and refuses holes and repeats.
package actor JobViewer {
    /// One record of the log.
    package struct Record: Sendable, Equatable {
        /// The attempt.
        package let attempt: Int
        /// The number within it.
        package let seq: Int
        /// The stream's name.
        package let stream: String
        /// What was written.
        package let bytes: [UInt8]
    }

    /// Longer than any silence that a test provokes.
    package static let patience = Duration.seconds(120)
    private static let pause = Duration.milliseconds(100)

    private nonisolated let loop: EventLoop
    private let client: ErrandClient
    private let http: HTTPClient
    private let job: String
    private var channel: (any WebSocketChannel)?
    private var attempt = 1
    private var seq = 0
    private var end: Instant?
    /// The records that stand, in order: those that a `reset` cut are gone.
    package private(set) var records: [Record] = []
    /// The types of the events other than records.
    package private(set) var events: [String] = []
    /// The last event of the stream.
    package private(set) var completed: JSONValue?
    /// How often the stream had to be opened again.
    package private(set) var cuts = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.actor.unownedExecutor }

    /// A viewer of a job, after a position that somebody else has reached.
    package init(_ job: String, _ client: ErrandClient, after records: [Record] = []) {
        self.job = job
        self.client = client
        loop = client.loop
        http = client.access.client(on: client.loop)
        self.records = records
        if let last = records.last { (attempt, seq) = (last.attempt, last.seq) }
    }

    /// Descriptors are closed on their loop.
    isolated deinit {}

    /// Reads to `job:completed`, through cuts.
    package func finish() async throws { try await read { _ in false } }

    /// Reads until records hold what is wanted.
    package func until(_ what: @Sendable ([Record]) -> Bool) async throws {
        loop.requireOnLoop()
        try await read { what($0.records) }
        guard completed == nil || what(records) else { throw ClientError(description: "the job ended: \(events)") }
    }

    /// Reads until the text of standard output contains something.
    package func until(stdout text: String) async throws {
        try await until { records in JobViewer.text(records).contains(text) }
    }

    /// The text of standard output so far.
    package var stdout: String { Self.text(records) }

    /// All bytes that stand, in the order of their records.
    package var bytes: [UInt8] { records.flatMap(\.bytes) }

    /// The numbers of the records of an attempt.
    package func numbers(of attempt: Int) -> [Int] { records.filter { $0.attempt == attempt }.map(\.seq) }

    private static func text(_ records: [Record]) -> String {
        String(decoding: records.filter { $0.stream == "stdout" }.flatMap(\.bytes), as: UTF8.self)
    }

    private func read(until isEnough: (isolated JobViewer) -> Bool) async throws {
        loop.requireOnLoop()
        let deadline = loop.now.advanced(by: Self.patience)
        while completed == nil, !isEnough(self) {
            guard loop.now < deadline else {
                throw ClientError(description: "\(job) is not there after \(Self.patience): \(events) \(records.count)")
            }
            guard let channel = try await opened() else {
                // Not `sleep`, which needs a task that prefers the loop.
                _ = await LoopCondition().wait(timeout: Self.pause, on: loop)
                continue
            }
            let timer = loop.schedule(after: deadline - loop.now) { [loop] in
                loop.spawnLocal { await channel.close(code: 1000, reason: "too late") }
            }
            defer { timer.cancel() }
            guard let message = try? await channel.receive(), case .text(let text) = message else {
                self.channel = nil
                cuts += 1
                continue
            }
            try take(try JSONReader.parse(Array(text.utf8)))
        }
        if completed != nil { channel = nil }
    }

    private func opened() async throws -> (any WebSocketChannel)? {
        loop.requireOnLoop()
        if let channel { return channel }
        do {
            var headers = HTTPHeaders()
            if let token = await client.token { headers.append(name: "authorization", value: "Bearer \(token)") }
            let path = "/v1/jobs/\(job)/stream" + (seq > 0 ? "?after=\(attempt).\(seq)" : "")
            channel = try await http.webSocket(url: try client.access.target(path), headers: headers).channel
            return channel
        } catch {
            guard ErrandClient.isPassing(error) else { throw error }
            return nil
        }
    }

    private func take(_ event: JSONValue) throws {
        let type = event["type"]?.string ?? ""
        switch type {
        case "job:output":
            let record = try Record(event)
            guard record.attempt == attempt, record.seq == seq + 1 else {
                throw ClientError(description: "\(record.attempt).\(record.seq) came after \(attempt).\(seq)")
            }
            (attempt, seq) = (record.attempt, record.seq)
            records.append(record)
        case "reset":
            let (cut, last) = (event["last_durable_attempt"]?.integer ?? 0, event["last_durable"]?.integer ?? 0)
            records.removeAll { Int64($0.attempt) == cut && Int64($0.seq) > last }
            attempt = Int(event["attempt"]?.integer ?? 0)
            seq = 0
            events.append(type)
        case "job:completed":
            completed = event
            events.append(type)
        default: events.append(type)
        }
    }
}

extension JobViewer.Record {
    /// Reads a `job:output` event; agent messages, which are embedded, have no bytes here.
    package init(_ event: JSONValue) throws {
        guard let attempt = event["attempt"]?.integer, let seq = event["seq"]?.integer,
            let stream = event["stream"]?.string
        else { throw ClientError(description: "not a record: \(String(decoding: event.encoded(), as: UTF8.self))") }
        let text = event["data"]?.string ?? ""
        let bytes = event["encoding"]?.string == "base64" ? Base64.decode(text) : Array(text.utf8)
        guard let bytes else { throw ClientError(description: "a record that is not base64") }
        self.init(attempt: Int(attempt), seq: Int(seq), stream: stream, bytes: bytes)
    }
}
