import Testing

@testable import Commands

struct VisibleTextTests {
    @Test(arguments: [
        ("plain text", "plain text"), ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\u{1b}[31mred\u{1b}[0m", "^[[31mred^[[0m"), ("dos\r\nlines\r\n", "dos\nlines\n"),
        ("over\rwritten", "over^Mwritten"),
        ("bell\u{7}, back\u{8}, del\u{7f}", "bell^G, back^H, del^?"), ("c1 \u{9b}31m", "c1 <U+009B>31m"),
        ("bidi \u{202e}gnp.exe", "bidi <U+202E>gnp.exe"), ("isolate \u{2066}x\u{2069}", "isolate <U+2066>x<U+2069>"),
        ("nul \u{0}", "nul ^@"), ("日本語 é 🙂", "日本語 é 🙂"),
    ])
    func `what steers a terminal is spelt out`(text: String, shown: String) {
        #expect(VisibleText.block(text) == shown)
    }

    @Test(arguments: [
        ("  one   two \n three ", 100, "one two three"), ("abcdef", 6, "abcdef"), ("abcdefg", 6, "abcde…"), ("", 5, ""),
        ("\u{1b}]0;title\u{7}x", 100, "^[]0;title^Gx"),
    ])
    func `a line is one line and no longer than asked`(text: String, limit: Int, shown: String) {
        #expect(VisibleText.line(text, limit: limit) == shown)
    }
}

struct HumanTextTests {
    @Test(arguments: [
        (Duration.zero, "0.0 s"), (.milliseconds(449), "0.4 s"), (.milliseconds(9_999), "9.9 s"),
        (.seconds(10), "10 s"),
        (.seconds(59), "59 s"), (.seconds(61), "1 m 01 s"), (.seconds(3_600), "1 h 00 m"),
        (.seconds(90_000), "1 d 1 h"),
        (.seconds(-5), "0.0 s"),
    ])
    func `a duration reads as people say it`(duration: Duration, text: String) {
        #expect(HumanText.duration(duration) == text)
    }

    @Test(arguments: [
        (Int64(0), "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_250_000, "1.2 MB"), (2_147_483_648, "2.1 GB"),
    ])
    func `bytes read in the largest unit`(count: Int64, text: String) {
        #expect(HumanText.bytes(count) == text)
    }

    @Test(arguments: [
        (Int64(0), "$0.0000"), (6_400, "$0.0064"), (999_960, "$1.0000"), (1_000_000, "$1.00"), (12_345_678, "$12.35"),
    ])
    func `money is rounded to what matters`(amount: Int64, text: String) {
        #expect(HumanText.money(microUSD: amount) == text)
    }

    @Test(
        arguments: [
            ("90", 90), ("90s", 90), ("10m", 600), ("2h", 7_200), ("1d", 86_400), ("", nil), ("m", nil), ("-1", nil),
            ("1.5h", nil), ("99999999999999999d", nil), ("5 m", nil),
        ] as [(String, Int?)]
    )
    func `a time may name its unit`(text: String, seconds: Int?) {
        #expect(HumanText.seconds(text) == seconds)
    }
}

struct TableTests {
    @Test func `columns line up and lines end without space`() {
        var table = Table("NAME", "AGE", "WHAT")
        table.add("a", "5 s", "short")
        table.add("longer", "", "\u{1b}[2Jx")
        table.add("b", "1 m", "")
        #expect(table.lines() == ["NAME    AGE  WHAT", "a       5 s  short", "longer       ^[[2Jx", "b       1 m"])
    }

    @Test func `a line is cut to the terminal's width`() {
        var table = Table("A", "B")
        table.add("12345", "678901234567890")
        #expect(table.lines(width: 12) == ["A      B", "12345  6789…"])
    }
}
