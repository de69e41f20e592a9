import Bytes
import Testing

struct TimestampTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (1_767_323_045_678, "2026-01-02T03:04:05.678Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func `text and instant agree`(milliseconds: Int64, text: String) {
        let instant = Timestamp(milliseconds: milliseconds)
        #expect(instant.rfc3339 == text)
        #expect(Timestamp(rfc3339: text) == instant)
    }

    @Test func `every day of eight centuries round trips`() {
        for day in stride(from: Int64(-146_097), to: 146_097, by: 1) {
            let instant = Timestamp(milliseconds: day * 86_400_000 + 86_399_999)
            guard Timestamp(rfc3339: instant.rfc3339) == instant else {
                Issue.record("day \(day) became \(instant.rfc3339)")
                return
            }
        }
    }

    @Test(arguments: [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"), ("2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600Z"),
        ("2026-01-02T03:04:05.678999999Z", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05+02:30", "2026-01-02T00:34:05.000Z"),
        ("2025-12-31T23:30:00-01:00", "2026-01-01T00:30:00.000Z"),
    ])
    func `fractions and offsets are understood`(text: String, normal: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339 == normal)
    }

    @Test(arguments: [
        "", "2026-01-02", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05", "2026-1-2T03:04:05Z", "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z", "2016-12-31T23:59:60Z",
        "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05.1234567890Z", "2026-01-02T03:04:05z", "2026-01-02T03:04:05ZZ",
        "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+0200", "+026-01-02T03:04:05Z", "2026-01-02T03:04:0５Z",
    ])
    func `what is no date-time is refused`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func `an instant outside the writable years is written as the nearest inside`() {
        #expect(Timestamp(milliseconds: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: .min).rfc3339 == "0000-01-01T00:00:00.000Z")
    }

    @Test func `arithmetic is exact and holds at the ends`() {
        let instant = Timestamp(milliseconds: 1000)
        #expect(instant.adding(seconds: -2).milliseconds == -1000)
        #expect(instant.adding(.milliseconds(1500)).milliseconds == 2500)
        #expect(instant.adding(.milliseconds(-1500)).milliseconds == -500)
        #expect(instant.adding(.microseconds(999)) == instant)
        #expect(instant.adding(seconds: .max).milliseconds == .max)
        #expect(instant.adding(seconds: .min).milliseconds == .min)
        #expect(Timestamp(milliseconds: .max).adding(.seconds(1)).milliseconds == .max)
        #expect(Timestamp(milliseconds: 2500) - instant == .milliseconds(1500))
        #expect(Timestamp(milliseconds: .min) - instant == .milliseconds(Int64.min))
        #expect(Timestamp(milliseconds: 1) < Timestamp(milliseconds: 2))
    }
}
