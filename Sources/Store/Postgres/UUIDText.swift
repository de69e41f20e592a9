import Bytes
import Core

extension ID {
    /// The 32 hex digits, which PostgreSQL reads as a UUID.
    var uuidText: String { Hex.encode(uuidBytes) }

    /// Before every identifier.
    static var lowest: ID { ID(high: 0, low: 0) }
    /// After every identifier.
    static var highest: ID { ID(high: .max, low: .max) }
}
