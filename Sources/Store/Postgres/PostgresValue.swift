import Bytes
import Core

/// A value bound to a statement, in PostgreSQL's binary form.
///
/// The statement says the type (`$1::uuid`); a value of another type is a mistake that the server refuses.
enum PostgresValue {
    case null
    case uuid(high: UInt64, low: UInt64)
    case text(String)
    case smallint(Int16)
    case integer(Int32)
    case bigint(Int64)
    case boolean(Bool)
    case bytes([UInt8])
    case array(PostgresArray)
}

extension PostgresValue {
    static func id<N>(_ id: ID<N>) -> PostgresValue { .uuid(high: id.high, low: id.low) }

    static func id<N>(_ id: ID<N>?) -> PostgresValue { id.map { .id($0) } ?? .null }

    static func text(_ text: String?) -> PostgresValue { text.map { .text($0) } ?? .null }

    static func word<Word: RawRepresentable<String>>(_ word: Word?) -> PostgresValue { .text(word?.rawValue) }

    static func integer(_ value: Int?) -> PostgresValue { value.map { .integer(Int32(clamping: $0)) } ?? .null }

    /// Counts and sequence numbers; what is beyond 63 bits is no number that was ever stored.
    static func bigint(_ value: UInt64) -> PostgresValue { .bigint(Int64(clamping: value)) }

    static func time(_ time: Timestamp) -> PostgresValue { .bigint(time.postgresMicroseconds) }

    static func time(_ time: Timestamp?) -> PostgresValue { time.map { .time($0) } ?? .null }

    static func array(_ element: PostgresArray.Element, _ values: some Collection<PostgresValue>) -> PostgresValue {
        .array(PostgresArray(element: element, values: Array(values)))
    }

    static func ids<N>(_ ids: some Collection<ID<N>>) -> PostgresValue { .array(.uuid, ids.map { .id($0) }) }

    /// Appends the binary form; nothing for null, which has a length of its own.
    func append(to buffer: inout [UInt8]) {
        switch self {
        case .null: break
        case .uuid(let high, let low):
            buffer.appendBigEndian(high)
            buffer.appendBigEndian(low)
        case .text(let text): buffer.append(contentsOf: text.utf8)
        case .smallint(let value): buffer.appendBigEndian(value)
        case .integer(let value): buffer.appendBigEndian(value)
        case .bigint(let value): buffer.appendBigEndian(value)
        case .boolean(let value): buffer.append(value ? 1 : 0)
        case .bytes(let bytes): buffer.append(contentsOf: bytes)
        case .array(let array): array.append(to: &buffer)
        }
    }

    var isNull: Bool { if case .null = self { true } else { false } }
}

/// A one-dimensional array of one type.
struct PostgresArray {
    /// The types that occur in arrays here, by their fixed object ids.
    enum Element: Int32 {
        case boolean = 16
        case bytes = 17
        case bigint = 20
        case smallint = 21
        case integer = 23
        case text = 25
        case time = 1184
        case uuid = 2950
    }

    var element: Element
    var values: [PostgresValue]

    func append(to buffer: inout [UInt8]) {
        buffer.appendBigEndian(values.isEmpty ? 0 : 1 as Int32)
        buffer.appendBigEndian(values.contains(where: \.isNull) ? 1 : 0 as Int32)
        buffer.appendBigEndian(element.rawValue)
        guard !values.isEmpty else { return }
        buffer.appendBigEndian(Int32(values.count))
        buffer.appendBigEndian(1 as Int32)
        for value in values {
            guard !value.isNull else {
                buffer.appendBigEndian(-1 as Int32)
                continue
            }
            let place = buffer.count
            buffer.appendBigEndian(0 as Int32)
            value.append(to: &buffer)
            let length = UInt32(buffer.count - place - 4)
            for index in 0..<4 { buffer[place + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
        }
    }
}

extension Timestamp {
    /// PostgreSQL counts microseconds from the year 2000.
    private static let postgresEpoch: Int64 = 946_684_800_000
    /// What its calendar can hold, with a margin: about the years 1 to 9999.
    private static let representable = Int64(-62_000_000_000_000)...Int64(253_000_000_000_000)

    var postgresMicroseconds: Int64 {
        let held = min(max(milliseconds, Self.representable.lowerBound), Self.representable.upperBound)
        return (held - Self.postgresEpoch) * 1_000
    }

    init(postgresMicroseconds microseconds: Int64) {
        // Rounded down, so that a time never reads as later than it is.
        let (quotient, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000)
        self.init(milliseconds: quotient - (rest < 0 ? 1 : 0) + Self.postgresEpoch)
    }
}
