import CHiredis

/// One answer of Redis, copied out of the C library.
enum RedisReply: Sendable, Equatable {
    case null
    case integer(Int64)
    case bytes([UInt8])
    case status(String)
    case error(String)
    case array([RedisReply])

    var integer: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    var bytes: [UInt8]? {
        guard case .bytes(let value) = self else { return nil }
        return value
    }

    var text: String? {
        switch self {
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    var array: [RedisReply]? {
        guard case .array(let value) = self else { return nil }
        return value
    }
}

/// The C library's incremental parser: bytes in, whole replies out.
@safe final class RedisReplyParser {
    private let reader: UnsafeMutablePointer<redisReader>

    init() {
        guard let reader = unsafe redisReaderCreate() else { preconditionFailure("out of memory") }
        unsafe self.reader = unsafe reader
    }

    deinit { unsafe redisReaderFree(reader) }

    /// Takes bytes and calls back with each reply that they complete.
    func feed(_ bytes: [UInt8], _ onReply: (RedisReply) -> Void) throws(RedisError) {
        let fed = unsafe bytes.withUnsafeBytes { buffer in
            unsafe redisReaderFeed(reader, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        guard fed == REDIS_OK else { throw .unexpectedReply }
        while let reply = try next() { onReply(reply) }
    }

    private func next() throws(RedisError) -> RedisReply? {
        var raw: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(reader, &raw) == REDIS_OK else { throw .unexpectedReply }
        guard let raw = unsafe raw else { return nil }
        defer { unsafe freeReplyObject(raw) }
        return unsafe Self.copy(raw.assumingMemoryBound(to: redisReply.self))
    }

    private static func copy(_ reply: UnsafePointer<redisReply>) -> RedisReply {
        switch unsafe reply.pointee.type {
        case REDIS_REPLY_STRING: return .bytes(unsafe text(reply))
        case REDIS_REPLY_STATUS: return .status(String(decoding: unsafe text(reply), as: UTF8.self))
        case REDIS_REPLY_ERROR: return .error(String(decoding: unsafe text(reply), as: UTF8.self))
        case REDIS_REPLY_INTEGER: return .integer(unsafe reply.pointee.integer)
        case REDIS_REPLY_ARRAY:
            let count = unsafe Int(reply.pointee.elements)
            guard let elements = unsafe reply.pointee.element else { return .array([]) }
            return .array((0..<count).map { unsafe elements[$0].map { unsafe copy($0) } ?? .null })
        default: return .null
        }
    }

    private static func text(_ reply: UnsafePointer<redisReply>) -> [UInt8] {
        let raw = unsafe UnsafeRawBufferPointer(start: reply.pointee.str, count: Int(reply.pointee.len))
        return unsafe Array(raw)
    }
}
