package import Bytes

/// The Date field in the fixed form of RFC 9110.
package enum DateField {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The date as text, like `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func text(_ time: Timestamp) -> String {
        // The RFC 3339 form already holds every number in place: 1994-11-06T08:49:37.000Z.
        let digits = Array(time.rfc3339.utf8)
        func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
        let days = Int((Double(time.milliseconds) / 86_400_000).rounded(.down))
        let weekday = weekdays[((days % 7) + 7) % 7]
        let month = months[(Int(part(5..<7)) ?? 1) - 1]
        return "\(weekday), \(part(8..<10)) \(month) \(part(0..<4)) \(part(11..<19)) GMT"
    }
}
