package import Platform

/// A request's body that is sent in pieces, with something done before the last; lives on the client's loop.
package actor PiecedBody {
    private nonisolated let loop: EventLoop
    private var pieces: [[UInt8]]
    private let beforeLast: @Sendable () async throws -> Void

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.actor.unownedExecutor }

    /// A body of these pieces.
    package init(
        _ pieces: [[UInt8]],
        on loop: EventLoop,
        beforeLast: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.pieces = pieces
        self.loop = loop
        self.beforeLast = beforeLast
    }

    func next() async throws -> [UInt8]? {
        loop.requireOnLoop()
        guard !pieces.isEmpty else { return nil }
        let piece = pieces.removeFirst()
        if pieces.isEmpty { try await beforeLast() }
        return piece
    }
}
