extension Timestamp {
    /// The first and last instants that RFC 3339 can write: years 0 and 9999.
    private static let writable: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// The form `2026-01-02T03:04:05.678Z`; an instant outside years 0 to 9999 is written as the nearest one inside.
    package var rfc3339: String {
        let clamped = min(max(milliseconds, Self.writable.lowerBound), Self.writable.upperBound)
        let (days, ofDay) = clamped.flooredDivision(by: 86_400_000)
        let date = CivilDate(daysSinceEpoch: days)
        var text: [UInt8] = []
        text.reserveCapacity(24)
        text.appendDecimal(date.year, width: 4)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(date.month, width: 2)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(date.day, width: 2)
        text.append(UInt8(ascii: "T"))
        text.appendDecimal(ofDay / 3_600_000, width: 2)
        text.append(UInt8(ascii: ":"))
        text.appendDecimal(ofDay / 60_000 % 60, width: 2)
        text.append(UInt8(ascii: ":"))
        text.appendDecimal(ofDay / 1000 % 60, width: 2)
        text.append(UInt8(ascii: "."))
        text.appendDecimal(ofDay % 1000, width: 3)
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Parses an RFC 3339 date-time with `Z` or a numeric offset; digits beyond milliseconds are cut, a leap second is refused.
    package init?(rfc3339 text: String) {
        var digits = DigitCursor(text)
        guard let year = digits.number(4), digits.skip("-"), let month = digits.number(2), digits.skip("-"),
            let day = digits.number(2), digits.skip("T"), let hour = digits.number(2), digits.skip(":"),
            let minute = digits.number(2), digits.skip(":"), let second = digits.number(2),
            let date = CivilDate(year: year, month: month, day: day), hour < 24, minute < 60, second < 60,
            let fraction = digits.milliseconds(), let offset = digits.offsetMinutes(), digits.isAtEnd
        else { return nil }
        let minutes = date.daysSinceEpoch * 1440 + hour * 60 + minute - offset
        self.init(milliseconds: (minutes * 60 + second) * 1000 + fraction)
    }
}

/// Reads the fixed-width decimal fields of a date.
private struct DigitCursor {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = [UInt8](text.utf8)[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func number(_ width: Int) -> Int64? {
        guard rest.count >= width else { return nil }
        var value: Int64 = 0
        for _ in 0..<width {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// The optional fraction of a second; nil when a dot has no digit behind it or more than nine.
    mutating func milliseconds() -> Int64? {
        guard skip(".") else { return 0 }
        var value: Int64 = 0
        var count = 0
        while let digit = digit() {
            count += 1
            if count <= 3 { value = value * 10 + digit }
        }
        guard (1...9).contains(count) else { return nil }
        for _ in count..<max(count, 3) { value *= 10 }
        return value
    }

    /// `Z`, or a signed hour and minute.
    mutating func offsetMinutes() -> Int64? {
        if skip("Z") { return 0 }
        let sign: Int64
        if skip("+") {
            sign = 1
        } else if skip("-") {
            sign = -1
        } else {
            return nil
        }
        guard let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }

    private mutating func digit() -> Int64? {
        guard let first = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
        rest = rest.dropFirst()
        return Int64(first - UInt8(ascii: "0"))
    }
}

extension [UInt8] {
    fileprivate mutating func appendDecimal(_ value: Int64, width: Int) {
        let end = count + width
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: width))
        var rest = value
        for position in 1...width {
            self[end - position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
