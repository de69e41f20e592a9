import CPostgres
import Core
import Platform

extension PostgresConnection {
    /// Long enough for a server that is starting, short enough to be asked again.
    private static let openLimit = Duration.seconds(10)

    /// Opens a session without blocking the loop.
    static func open(
        _ parameters: ConnectionParameters,
        on loop: EventLoop
    ) async throws(StoreError) -> PostgresConnection {
        let pairs = try await parameters.resolved()
        let handshake = try Handshake(pairs, loop: loop)
        return try await handshake.run(limit: openLimit)
    }
}

/// A session that is being opened; it closes what it holds unless it succeeds.
@safe private final class Handshake {
    private let loop: EventLoop
    private var raw: OpaquePointer?
    private var source: Source?
    private var isLate = false

    init(_ pairs: [(String, String)], loop: EventLoop) throws(StoreError) {
        self.loop = loop
        unsafe raw = Self.start(pairs)
        guard let raw = unsafe raw else { throw .unavailable("connect: out of memory") }
        guard unsafe PQstatus(raw) != CONNECTION_BAD else { throw failure }
    }

    deinit {
        source?.close()
        if let raw = unsafe raw { unsafe PQfinish(raw) }
    }

    private static func start(_ pairs: [(String, String)]) -> OpaquePointer? {
        // One block of zero-terminated texts, and pointers into it.
        var block: [CChar] = []
        func place(_ text: String) -> Int {
            defer { block.append(contentsOf: text.utf8CString) }
            return block.count
        }
        let places = pairs.map { (place($0.0), place($0.1)) }
        return unsafe block.withUnsafeBufferPointer { bytes in
            let base = bytes.baseAddress
            var keywords: [UnsafePointer<CChar>?] = unsafe []
            var values: [UnsafePointer<CChar>?] = unsafe []
            for place in places {
                unsafe keywords.append(unsafe base.map { unsafe $0 + place.0 })
                unsafe values.append(unsafe base.map { unsafe $0 + place.1 })
            }
            unsafe keywords.append(nil)
            unsafe values.append(nil)
            return unsafe PQconnectStartParams(keywords, values, 0)
        }
    }

    func run(limit: Duration) async throws(StoreError) -> PostgresConnection {
        let timer = loop.schedule(after: limit) { [self] in
            isLate = true
            source?.close()
        }
        defer { timer.cancel() }
        var step = PGRES_POLLING_WRITING
        while step != PGRES_POLLING_OK {
            try watch()
            if step == PGRES_POLLING_READING { await source?.readable() } else { await source?.writable() }
            if isLate { throw .unavailable("connect: no answer for \(limit)") }
            guard let raw = unsafe raw else { throw .unavailable("connect: closed") }
            step = unsafe PQconnectPoll(raw)
            if step == PGRES_POLLING_FAILED { throw failure }
        }
        try watch()
        guard let raw = unsafe raw, let watched = source, unsafe PQsetnonblocking(raw, 1) == 0,
            unsafe PQenterPipelineMode(raw) == 1
        else { throw failure }
        // Notices are for people at a terminal.
        unsafe PQsetNoticeProcessor(raw, { _, _ in }, nil)
        unsafe self.raw = nil
        source = nil
        return unsafe PostgresConnection(taking: raw, source: watched, loop: loop)
    }

    /// Watches the socket afresh: between two steps libpq may have gone on to another one.
    private func watch() throws(StoreError) {
        source?.close()
        do throws(PlatformError) {
            guard let raw = unsafe raw else { throw PlatformError(stage: "connect", errno: 9) }
            source = try Source(loop: loop, borrowing: unsafe PQsocket(raw))
        } catch {
            throw .unavailable("connect: \(error)")
        }
    }

    /// What libpq says; a refusal for the role or the database is not mended by trying again.
    private var failure: StoreError {
        guard let raw = unsafe raw, let text = unsafe PQerrorMessage(raw) else {
            return .unavailable("connect: closed")
        }
        let message = unsafe String(cString: text).split(separator: "\n").joined(separator: " ")
        return .unavailable("connect: \(message)")
    }
}
