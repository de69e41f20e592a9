package import HTTP

/// An answer whose body is read piece by piece; dropping it before the end closes the connection.
package final class ClientStreamingResponse {
    /// The status code.
    package let status: Int
    /// The fields.
    package let headers: HTTPHeaders

    private var connection: ClientConnection?
    private let keepsAlive: Bool
    private let idleTimeout: Duration
    private let giveBack: (ClientConnection) -> Void
    private var framing: BodyFraming
    private var remaining = 0
    private var decoder = ChunkedDecoder()

    init(
        head: ResponseHead,
        connection: ClientConnection,
        idleTimeout: Duration,
        giveBack: @escaping (ClientConnection) -> Void
    ) {
        status = head.status
        headers = head.headers
        keepsAlive = head.keepsAlive
        framing = head.framing
        self.connection = connection
        self.idleTimeout = idleTimeout
        self.giveBack = giveBack
        if case .length(let length) = framing { remaining = length }
        if framing == .none { end() }
    }

    /// Returns the next piece of the body, or nil at its end.
    package func next() async throws(HTTPClientError) -> [UInt8]? {
        guard let connection else { return nil }
        while true {
            if !connection.input.isEmpty, let piece = try take(connection) { return piece }
            if self.connection == nil { return nil }
            connection.deadline.set(idleTimeout)
            let outcome = await connection.readMore()
            connection.deadline.clear()
            switch outcome {
            case .bytes, .blocked: continue
            case .end where framing == .untilClose && !connection.timedOut:
                end()
                return nil
            case .end:
                close()
                throw connection.timedOut ? .timeout : .brokenBody("it ended early")
            case .failed(let error):
                close()
                throw connection.timedOut ? .timeout : .brokenBody(error.description)
            }
        }
    }

    /// Reads the whole body, or throws `bodyTooLarge`.
    package func collect(limit: Int) async throws(HTTPClientError) -> [UInt8] {
        var whole: [UInt8] = []
        while let piece = try await next() {
            guard whole.count + piece.count <= limit else {
                close()
                throw .bodyTooLarge
            }
            if whole.isEmpty { whole = piece } else { whole.append(contentsOf: piece) }
        }
        return whole
    }

    /// Gives the rest of the body up; a `next` that waits ends with an error.
    package func close() {
        connection?.wire.close()
        connection = nil
    }

    private func take(_ connection: ClientConnection) throws(HTTPClientError) -> [UInt8]? {
        switch framing {
        case .none: return nil
        case .untilClose: return connection.input.take(.max)
        case .length:
            let piece = connection.input.take(remaining)
            remaining -= piece.count
            if remaining == 0 { end() }
            return piece
        case .chunked:
            var piece: [UInt8] = []
            do throws(ChunkError) {
                let used = try connection.input.withBytes { (bytes) throws(ChunkError) in
                    try decoder.decode(bytes, from: 0, into: &piece, limit: .max)
                }
                connection.input.consume(used)
            } catch {
                close()
                throw .brokenBody("\(error)")
            }
            if decoder.isDone { end() }
            return piece.isEmpty ? nil : piece
        }
    }

    private func end() {
        guard let connection else { return }
        self.connection = nil
        if keepsAlive, !connection.isSpent, connection.input.isEmpty {
            giveBack(connection)
        } else {
            connection.wire.close()
        }
    }
}
