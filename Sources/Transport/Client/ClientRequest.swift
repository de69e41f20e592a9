import HTTP

/// One request on its way out.
struct ClientRequest {
    let method: HTTPMethod
    let url: ClientURL
    let headers: HTTPHeaders
    let body: ClientBody

    /// Writes head and body; a server that answers early ends the upload, and its answer is then read.
    func write(to connection: ClientConnection) async throws(HTTPClientError) {
        var output: [UInt8] = []
        var headers = headers
        headers.remove(name: "host")
        MessageWriter.appendRequestHead(
            method: method,
            target: url.target,
            host: url.authority,
            headers: headers,
            framing: framing,
            to: &output
        )
        switch body {
        case .empty: try await connection.write(output)
        case .bytes(let bytes):
            if bytes.count <= 16 << 10 {
                try await connection.write(output + bytes)
            } else {
                try await connection.write(output)
                try await upload(bytes, to: connection)
            }
        case .stream(let length, let produce):
            try await connection.write(output)
            try await stream(length, produce, to: connection)
        }
    }

    private var framing: BodyFraming {
        switch body {
        // A length of zero tells a server that a POST has no body; GET needs none.
        case .empty: method == .get || method == .head ? .none : .length(0)
        case .bytes(let bytes): .length(bytes.count)
        case .stream(let length, _): length.map { .length($0) } ?? .chunked
        }
    }

    private func upload(_ bytes: [UInt8], to connection: ClientConnection) async throws(HTTPClientError) {
        var start = 0
        while start < bytes.count {
            if connection.hasEarlyAnswer { return }
            let end = min(start + 256 << 10, bytes.count)
            guard await attempt(Array(bytes[start..<end]), on: connection) else { return }
            start = end
        }
    }

    private func stream(
        _ length: Int?,
        _ produce: () async throws -> [UInt8]?,
        to connection: ClientConnection
    ) async throws(HTTPClientError) {
        var sent = 0
        while true {
            let piece: [UInt8]?
            do {
                piece = try await produce()
            } catch {
                throw .uploadFailed(error)
            }
            if connection.hasEarlyAnswer { return }
            guard let piece else { break }
            sent += piece.count
            if let length, sent > length { throw .uploadFailed(UploadLengthError(announced: length)) }
            var output = piece
            if length == nil {
                output = []
                MessageWriter.appendChunk(piece, to: &output)
            }
            guard await attempt(output, on: connection) else { return }
        }
        if let length, sent < length { throw .uploadFailed(UploadLengthError(announced: length)) }
        guard length == nil else { return }
        var output: [UInt8] = []
        MessageWriter.appendLastChunk(to: &output)
        _ = await attempt(output, on: connection)
    }

    // A failed write is not the end: a server that refuses a body answers and closes, and the answer says why.
    private func attempt(_ bytes: [UInt8], on connection: ClientConnection) async -> Bool {
        do throws(HTTPClientError) {
            try await connection.write(bytes)
            return true
        } catch {
            connection.isSpent = true
            return false
        }
    }
}

/// A producer gave more or less than it had announced.
package struct UploadLengthError: Error {
    /// The length that was announced.
    package let announced: Int
}
