import Bytes
import HTTP
import Platform

/// The field lines that every response of a server carries, rendered once a second.
struct CommonFields {
    private let fixed: String
    private var second: Int64 = .min
    private var plain: [UInt8] = []
    private var withoutStore: [UInt8] = []

    init(isSecure: Bool) {
        var fixed = "x-content-type-options: nosniff\r\n"
        // A year, as the preload list demands; only over TLS, where alone it counts.
        if isSecure { fixed += "strict-transport-security: max-age=31536000\r\n" }
        self.fixed = fixed
    }

    /// The lines for now; `allowsStore` leaves out `cache-control: no-store` where the handler said otherwise.
    mutating func lines(at time: Timestamp, allowsStore: Bool) -> [UInt8] {
        let now = time.milliseconds / 1_000
        if now != second {
            second = now
            plain = Array("date: \(DateField.text(time))\r\n\(fixed)".utf8)
            withoutStore = plain + Array("cache-control: no-store\r\n".utf8)
        }
        return allowsStore ? plain : withoutStore
    }
}
