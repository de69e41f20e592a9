import Auth
import Bytes
import Core
import Testing

@Suite struct AuditExportTests {
    private static func entry(_ text: String) -> StoredAuditEntry {
        let sealed = SealedAuditDraft(
            AuditDraft(
                at: AuditChainFixture.start,
                team: nil,
                actor: .administrator(text),
                action: text,
                target: text,
                address: text,
                userAgent: text,
                details: [AuditDetail(text, text)]
            )
        )
        return StoredAuditEntry(
            chain: .installation,
            position: AuditPosition(recordedAt: AuditChainFixture.start, seq: 1),
            previousHash: StoredAuditEntry.noHash,
            hash: [],
            canonical: sealed.canonical + [UInt8](repeating: 0, count: 32),
            personal: sealed.personal,
            actor: sealed.actor,
            action: sealed.action,
            target: sealed.target
        ).rehashed
    }

    /// What could break a line, steer a terminal or start a formula.
    private static let hostile = [
        "a\nb", "a\r\nb", "\u{1b}[2J\u{1b}[31m", "\u{9b}31m", "\u{202e}gpj.exe", "a\0b", "\u{2028}x", "\u{7f}",
        "\"quoted\"",
        "=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1+1", " \u{a0}=1", "\u{ff1d}1", "%x", "a,b;c", "",
        "\u{1f600}é",
        String(repeating: "x", count: 1 << 20),
    ]

    @Test(arguments: hostile) func `a line of an export is one line, harmless, and carries the entry`(
        text: String
    ) throws {
        let entry = Self.entry(text)
        let line = AuditLine.encode(entry)
        #expect(!line.contains { $0 < 0x20 || $0 == 0x7f } && line.count < 32 << 10)
        let shown = String(decoding: line, as: UTF8.self).unicodeScalars
        #expect(!shown.contains { (0x80...0x9f).contains($0.value) || (0x2028...0x202e).contains($0.value) })
        let read = try #require(AuditLine.decode(line))
        #expect(read.isTrue && read.entry == entry)
    }

    @Test(arguments: hostile) func `a row of a table is one line without a formula`(text: String) throws {
        let row = AuditTable.row(Self.entry(text))
        #expect(row.suffix(2) == [0x0d, 0x0a] && !row.dropLast(2).contains { $0 < 0x20 || $0 == 0x7f })
        let line = String(decoding: row.dropLast(2), as: UTF8.self)
        let cells = line.split(separator: "\",\"", omittingEmptySubsequences: false)
        #expect(cells.count == 15)
        for cell in cells {
            let first = cell.drop { $0 == "\"" || $0.isWhitespace }.first
            #expect(first.map { !"=+-@|%\u{ff1d}".contains($0) } ?? true, "\(cell)")
        }
    }

    @Test func `a line that shows anything but what its bytes say is not true`() throws {
        let fixture = try AuditChainFixture(1, signed: [])
        let line = String(decoding: AuditLine.encode(fixture.entries[0]), as: UTF8.self)
        for (from, to) in [
            ("job.submitted", "job.cancelled"), ("192.0.2.1", "192.0.2.2"), ("succeeded", "refused"),
            ("{\"chain\"", "{ \"chain\""),
            ("\"kind\"", "\"kinD\""), ("\"is_erased\":false", "\"is_erased\":true"),
        ] {
            let changed = Array(line.replacing(from, with: to).utf8)
            #expect(changed != Array(line.utf8))
            #expect(AuditLine.decode(changed)?.isTrue == false, "\(from) to \(to)")
        }
        #expect(AuditLine.decode(Array(line.utf8))?.isTrue == true)
        for text in ["", "{}", "[]", "null", line + "}", String(line.dropLast())] {
            #expect(AuditLine.decode(Array(text.utf8)) == nil)
        }
    }
}
