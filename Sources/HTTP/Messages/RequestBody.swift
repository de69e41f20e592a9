/// Why a request body could not be read to its end.
package enum BodyError: Error, Sendable, Equatable {
    /// The body is longer than the reader allows.
    case tooLarge
    /// The client went away.
    case disconnected
    /// The client sent nothing for too long.
    case timeout
    /// The chunked coding is broken.
    case malformed
}

/// The body of a request, read piece by piece; what a handler leaves unread is drained or ends the connection.
package protocol RequestBody: AnyObject {
    /// The value of content-length, or nil for a chunked body; 0 when there is none.
    var declaredLength: Int? { get }

    /// Returns the next piece, or nil at the end of the body.
    func next() async throws(BodyError) -> [UInt8]?

    /// Reads the whole body, or throws `tooLarge` as soon as it is known to exceed `limit`.
    func collect(limit: Int) async throws(BodyError) -> [UInt8]
}

extension RequestBody {
    /// Reads the whole body by `next`, refusing a declared length over `limit` before reading anything.
    package func collect(limit: Int) async throws(BodyError) -> [UInt8] {
        if let declaredLength, declaredLength > limit { throw .tooLarge }
        var whole: [UInt8] = []
        while let piece = try await next() {
            guard whole.count + piece.count <= limit else { throw .tooLarge }
            if whole.isEmpty { whole = piece } else { whole.append(contentsOf: piece) }
        }
        return whole
    }
}

/// A body that is already in memory: the empty body, and bodies in tests.
package final class InMemoryBody: RequestBody {
    private var pieces: [[UInt8]]

    /// The length of the whole body.
    package let declaredLength: Int?

    /// Makes a body that `next` returns as one piece.
    package init(_ bytes: [UInt8] = []) {
        pieces = bytes.isEmpty ? [] : [bytes]
        declaredLength = bytes.count
    }

    /// Returns the bytes once, then nil.
    package func next() async throws(BodyError) -> [UInt8]? {
        pieces.popLast()
    }
}
