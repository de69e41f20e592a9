import Bytes
import CPostgres
import Core

/// The answer to one statement; owns libpq's memory of it.
@safe final class PostgresResult {
    private let raw: OpaquePointer
    private let stage: String
    let count: Int

    /// Takes over a result.
    init(taking raw: OpaquePointer, stage: String) {
        unsafe self.raw = unsafe raw
        self.stage = stage
        count = Int(unsafe PQntuples(raw))
    }

    deinit {
        unsafe PQclear(raw)
    }

    /// The number of rows that the statement wrote.
    var affected: Int {
        Int(unsafe String(cString: PQcmdTuples(raw))) ?? 0
    }

    /// Decodes each row.
    func rows<Row>(_ decode: (inout PostgresRow) throws(StoreError) -> Row) throws(StoreError) -> [Row] {
        var rows: [Row] = []
        rows.reserveCapacity(count)
        for index in 0..<count {
            var row = PostgresRow(result: self, index: Int32(index))
            rows.append(try decode(&row))
        }
        return rows
    }

    /// Decodes the first row, if there is one.
    func first<Row>(_ decode: (inout PostgresRow) throws(StoreError) -> Row) throws(StoreError) -> Row? {
        guard count > 0 else { return nil }
        var row = PostgresRow(result: self, index: 0)
        return try decode(&row)
    }

    /// Runs `body` on the bytes of a field; nil for null.
    fileprivate func field<T>(_ row: Int32, _ column: Int32, _ body: (UnsafeRawBufferPointer) -> T?) -> Field<T> {
        guard unsafe PQgetisnull(raw, row, column) == 0 else { return .null }
        let length = Int(unsafe PQgetlength(raw, row, column))
        let bytes = unsafe UnsafeRawBufferPointer(start: PQgetvalue(raw, row, column), count: length)
        return unsafe body(bytes).map { .value($0) } ?? .malformed
    }

    fileprivate func malformed(_ column: Int32) -> StoreError {
        .failed(stage: "\(stage): column \(column) is not of its type", sqlState: "22000")
    }
}

private enum Field<Value> {
    case null, malformed
    case value(Value)
}

/// Reads the columns of one row from left to right.
struct PostgresRow {
    fileprivate let result: PostgresResult
    fileprivate let index: Int32
    private var column: Int32 = 0

    fileprivate init(result: PostgresResult, index: Int32) {
        self.result = result
        self.index = index
    }

    /// The next column, which is never null.
    mutating func value<T: PostgresDecodable>(_ type: T.Type = T.self) throws(StoreError) -> T {
        guard let value = try optional(type) else { throw result.malformed(column - 1) }
        return value
    }

    /// The next column; nil when null.
    mutating func optional<T: PostgresDecodable>(_ type: T.Type = T.self) throws(StoreError) -> T? {
        defer { column += 1 }
        switch unsafe result.field(index, column, { unsafe T.decode($0) }) {
        case .null: return nil
        case .value(let value): return value
        case .malformed: throw result.malformed(column)
        }
    }

    /// The next column as a word of an enumeration.
    mutating func word<Word: RawRepresentable<String>>(_ type: Word.Type = Word.self) throws(StoreError) -> Word {
        guard let word = try optionalWord(type) else { throw result.malformed(column - 1) }
        return word
    }

    /// The next column as a word of an enumeration; nil when null.
    mutating func optionalWord<Word: RawRepresentable<String>>(
        _ type: Word.Type = Word.self
    ) throws(StoreError) -> Word? {
        guard let text = try optional(String.self) else { return nil }
        guard let word = Word(rawValue: text) else { throw result.malformed(column - 1) }
        return word
    }

    /// The next column as what `read` makes of its JSON; nil when null.
    mutating func json<T>(_ read: (JSONValue) -> T?) throws(StoreError) -> T? {
        guard let bytes = try optional([UInt8].self) else { return nil }
        guard let value = try? JSONReader.parse(bytes, limits: Self.storedJSON), let decoded = read(value) else {
            throw result.malformed(column - 1)
        }
        return decoded
    }

    /// Wider than any request: escapes may have made it six times as long.
    private static let storedJSON = JSONLimits(maximumBytes: 64 << 20)
}

/// What can be read from a column in binary form.
protocol PostgresDecodable {
    /// The value, or nil when the bytes are not of this type.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> Self?
}

extension ID: PostgresDecodable {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> ID? { unsafe ID(uuidBytes: bytes) }
}

extension String: PostgresDecodable {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> String? { unsafe String(strictUTF8: bytes) }
}

extension Int64: PostgresDecodable {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard [2, 4, 8].contains(bytes.count) else { return nil }
        let unsignedValue = unsafe bytes.reduce(0) { $0 << 8 | UInt64($1) }
        let unused = UInt64(64 - 8 * bytes.count)
        return Int64(bitPattern: unsignedValue << unused) >> Int64(unused)
    }
}

extension Int: PostgresDecodable {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> Int? { unsafe Int64.decode(bytes).map { Int($0) } }
}

extension UInt64: PostgresDecodable {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        unsafe Int64.decode(bytes).flatMap { UInt64(exactly: $0) }
    }
}

extension Bool: PostgresDecodable {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> Bool? {
        guard bytes.count == 1 else { return nil }
        return unsafe bytes[0] != 0
    }
}

extension [UInt8]: PostgresDecodable {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? { unsafe [UInt8](bytes) }
}

extension Timestamp: PostgresDecodable {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        guard bytes.count == 8 else { return nil }
        return unsafe Int64.decode(bytes).map { Timestamp(postgresMicroseconds: $0) }
    }
}
