import HTTP
import Platform

/// A request body that is read from its connection as the handler asks for it.
final class ConnectionBody: RequestBody {
    /// The size of the pieces that `next` returns at most: one input buffer.
    private static let pieceSize = 16 << 10

    let declaredLength: Int?

    private var connection: ServerConnection?
    private var remaining: Int
    private var decoder: ChunkedDecoder?
    private var awaitsContinue: Bool
    private var pace: BodyPace
    private var failure: BodyError?
    /// Whether the whole body has been read.
    private(set) var isDone = false

    init(connection: ServerConnection, head: RequestHead) {
        self.connection = connection
        awaitsContinue = head.expectsContinue
        pace = BodyPace(connection.server.limits)
        if case .length(let length) = head.framing {
            declaredLength = length
            remaining = length
        } else {
            declaredLength = nil
            remaining = .max
            decoder = ChunkedDecoder()
        }
    }

    /// False when the rest is skipped by closing: it failed, the client still waits to send it, or it is too much.
    func canBeDrained(limit: Int) -> Bool {
        isDone || (failure == nil && !awaitsContinue && (decoder != nil || remaining <= limit))
    }

    func next() async throws(BodyError) -> [UInt8]? {
        if let failure { throw failure }
        guard let connection else { throw .disconnected }
        guard !isDone else { return nil }
        do {
            try await sendContinue(connection)
            while true {
                if !connection.input.isEmpty, let piece = try decode(connection) { return piece }
                if isDone { return nil }
                try await readMore(connection)
            }
        } catch {
            failure = error
            throw error
        }
    }

    /// Reads and drops the rest; false when that is more than `limit` or fails.
    func drain(limit: Int) async -> Bool {
        guard canBeDrained(limit: limit) else { return false }
        var dropped = 0
        do throws(BodyError) {
            while let piece = try await next() {
                dropped += piece.count
                guard dropped <= limit else { return false }
            }
            return true
        } catch {
            return false
        }
    }

    /// The exchange is over: a handler that kept the body reads nothing more.
    func detach() {
        connection = nil
    }

    private func decode(_ connection: ServerConnection) throws(BodyError) -> [UInt8]? {
        guard var decoder = self.decoder else {
            let piece = connection.input.take(min(remaining, Self.pieceSize))
            remaining -= piece.count
            isDone = remaining == 0
            return piece
        }
        var piece: [UInt8] = []
        do throws(ChunkError) {
            let used = try connection.input.withBytes { (bytes) throws(ChunkError) in
                try decoder.decode(bytes, from: 0, into: &piece, limit: Self.pieceSize)
            }
            connection.input.consume(used)
        } catch {
            throw .malformed
        }
        self.decoder = decoder
        isDone = decoder.isDone
        return piece.isEmpty ? nil : piece
    }

    private func readMore(_ connection: ServerConnection) async throws(BodyError) {
        let loop = connection.server.loop
        let (began, before) = (loop.now, connection.input.count)
        connection.deadline.set(max(.zero, min(connection.server.limits.bodyIdleTimeout, pace.patience)))
        let hasMore = await connection.readMore()
        connection.deadline.clear()
        guard hasMore else { throw connection.timedOut ? .timeout : .disconnected }
        pace.note(connection.input.count - before, after: loop.now - began)
        guard pace.patience > .zero else { throw .timeout }
    }

    private func sendContinue(_ connection: ServerConnection) async throws(BodyError) {
        guard awaitsContinue else { return }
        awaitsContinue = false
        // Who sends the body without waiting needs no answer any more.
        guard connection.input.isEmpty else { return }
        connection.output.append(contentsOf: MessageWriter.continueResponse)
        guard await connection.flush() else { throw .disconnected }
    }
}
