import Bytes

/// What a connection has received and not used yet; it holds a buffer only while there is something.
struct ConnectionInput: ~Copyable {
    private let pool: BufferPool
    private var buffer: IOBuffer?
    private var start = 0
    private var end = 0

    init(pool: BufferPool) {
        self.pool = pool
    }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// Gives the bytes to `body`.
    mutating func withBytes<Value, Failure: Error>(
        _ body: (borrowing Span<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let held = buffer.take() ?? pool.take()
        do {
            let value = try Self.lend(held, start..<end, body)
            buffer = consume held
            return value
        } catch {
            buffer = consume held
            throw error
        }
    }

    // Apart, so that the span's life ends before the buffer moves back.
    private static func lend<Value, Failure: Error>(
        _ buffer: borrowing IOBuffer,
        _ range: Range<Int>,
        _ body: (borrowing Span<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(buffer.bytes.extracting(range))
    }

    /// Reads once; a full buffer reads nothing and says so with `blocked`, which callers rule out beforehand.
    mutating func fill(from wire: any Wire) -> WireRead {
        var held = buffer.take() ?? pool.take()
        if start > 0 {
            held.removeFirst(start)
            (start, end) = (0, held.count)
        }
        var outcome = WireRead.blocked
        _ = unsafe held.fill { target in
            outcome = unsafe wire.read(into: target)
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        end = held.count
        buffer = consume held
        if isEmpty { release() }
        return outcome
    }

    /// Drops bytes that have been used.
    mutating func consume(_ count: Int) {
        start += count
        precondition(start <= end, "more is used than there is")
        if start == end { release() }
    }

    /// Takes up to `limit` bytes out.
    mutating func take(_ limit: Int) -> [UInt8] {
        let length = min(limit, count)
        let bytes = withBytes { span in Array(copying: span, 0..<length) }
        consume(length)
        return bytes
    }

    private mutating func release() {
        guard var held = buffer.take() else { return }
        held.removeFirst(held.count)
        (start, end) = (0, 0)
        pool.give(held)
    }
}

extension [UInt8] {
    /// A copy of the bytes in `range`.
    init(copying span: borrowing Span<UInt8>, _ range: Range<Int>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0[range]) }
    }
}
