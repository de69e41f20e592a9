import Bytes

/// A named value of a log line.
package struct LogField: Sendable {
    enum Value: Sendable {
        case text(String)
        case integer(Int64)
        case number(Double)
        case flag(Bool)
    }

    let name: String
    let value: Value

    /// A text, cut at 4 KiB.
    package static func text(_ name: String, _ value: some StringProtocol) -> LogField {
        LogField(name: name, value: .text(String(value)))
    }

    /// A whole number.
    package static func integer(_ name: String, _ value: some BinaryInteger) -> LogField {
        LogField(name: name, value: .integer(Int64(clamping: value)))
    }

    /// A fraction.
    package static func number(_ name: String, _ value: Double) -> LogField {
        LogField(name: name, value: .number(value))
    }

    /// Yes or no.
    package static func flag(_ name: String, _ value: Bool) -> LogField {
        LogField(name: name, value: .flag(value))
    }

    /// A time span in seconds.
    package static func seconds(_ name: String, _ value: Duration) -> LogField {
        LogField(name: name, value: .number(value / .seconds(1)))
    }

    /// An error as it describes itself.
    package static func error(_ error: any Error) -> LogField {
        LogField(name: "error", value: .text("\(error)"))
    }

    /// A line is read by people and shipped by collectors that cut lines: a value does not fill it alone.
    private static let valueLimit = 4096

    func write(to writer: inout JSONWriter) {
        writer.key(name)
        if Self.isSecretName(name) {
            writer.string("****")
            return
        }
        switch value {
        case .text(let text):
            writer.string(text.utf8.count <= Self.valueLimit ? text : String(text.prefix(Self.valueLimit)) + "…")
        case .integer(let number): writer.integer(number)
        case .number(let number): writer.number(number)
        case .flag(let flag): writer.bool(flag)
        }
    }

    /// Names under which no value may be logged, whatever the caller thinks it holds.
    private static func isSecretName(_ name: String) -> Bool {
        let name = name.lowercased()
        let parts = [
            "password", "secret", "token", "authorization", "cookie", "api_key", "apikey", "credential", "otp",
        ]
        return parts.contains { name.contains($0) }
    }
}
