import Bytes

/// Amounts as people read them.
enum HumanText {
    /// A time that something took: `0.4 s`, `12 s`, `3 m 05 s`, `2 h 10 m`, `4 d 3 h`.
    static func duration(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        if seconds < 10 {
            let tenths = max(0, duration / .milliseconds(100)).rounded(.down)
            return "\(tenths / 10) s"
        }
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3_600: return "\(seconds / 60) m \(twoDigits(seconds % 60)) s"
        case ..<86_400: return "\(seconds / 3_600) h \(twoDigits(seconds % 3_600 / 60)) m"
        default: return "\(seconds / 86_400) d \(seconds % 86_400 / 3_600) h"
        }
    }

    /// How long ago something was, in its largest unit: `5 s`, `3 m`, `2 h`, `9 d`.
    static func age(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3_600: return "\(seconds / 60) m"
        case ..<86_400: return "\(seconds / 3_600) h"
        default: return "\(seconds / 86_400) d"
        }
    }

    /// A number of bytes: `512 B`, `1.2 kB`, `34.5 MB`.
    static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        var unit = "B"
        for larger in ["kB", "MB", "GB", "TB"] where value >= 1_000 {
            value /= 1_000
            unit = larger
        }
        return unit == "B" ? "\(count) B" : "\((value * 10).rounded(.down) / 10) \(unit)"
    }

    /// An amount of micro-USD: `$0.0064`, `$12.31`.
    static func money(microUSD: Int64) -> String {
        let amount = max(0, microUSD)
        let decimals = amount < 1_000_000 ? 4 : 2
        let unit: Int64 = decimals == 4 ? 100 : 10_000
        let scale: Int64 = decimals == 4 ? 10_000 : 100
        let rounded = (amount + unit / 2) / unit
        let fraction = String(rounded % scale)
        return "$\(rounded / scale).\(String(repeating: "0", count: decimals - fraction.count))\(fraction)"
    }

    /// Reads a number of seconds, also as `90s`, `10m`, `2h` or `1d`; nil when it is none of these.
    static func seconds(_ text: String) -> Int? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits) else {
            return nil
        }
        let (seconds, overflows) = number.multipliedReportingOverflow(by: unit ?? 1)
        return overflows ? nil : seconds
    }

    private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
