import Bytes
import Core
import Testing

@testable import API

/// What a mail looks like on the wire, whatever people called themselves, their teams and their devices.
@Suite struct MailMessageTests {
    private static let time = Timestamp(milliseconds: 1_790_000_000_000)
    private static let id = LetterID(at: time)

    private static func compose(_ content: LetterContent, from: String = "errand@mail.example") throws -> String {
        let sender = try #require(MailSender(from))
        let bytes = MailMessage.compose(
            LetterText(content, server: "https://errand.test"),
            id: id,
            at: time,
            from: sender,
            to: "guest@example.org"
        )
        return try #require(String(validating: bytes, as: UTF8.self))
    }

    private static func invite(team: String, host: String = "Ann") -> LetterContent {
        let link = "https://errand.test/invite?token=einv_abc"
        return .invite(InviteLetter(team: team, role: .member, host: host, link: link, expiresAt: time))
    }

    /// Head and body, with the fields unfolded.
    private static func split(_ message: String) throws -> (fields: [String: String], body: String) {
        let mark = try #require(message.firstRange(of: "\r\n\r\n"))
        let head = message[..<mark.lowerBound].replacing("\r\n ", with: " ")
        var fields: [String: String] = [:]
        for line in head.split(separator: "\r\n") {
            let colon = try #require(line.firstRange(of: ": "))
            let name = String(line[..<colon.lowerBound])
            #expect(fields[name] == nil, "\(name) twice")
            fields[name] = String(line[colon.upperBound...])
        }
        return (fields, String(message[mark.upperBound...]))
    }

    /// What a reader makes of the body.
    private static func read(_ body: String) throws -> String {
        var bytes: [UInt8] = []
        var rest = Array(body.replacing("=\r\n", with: "").utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                bytes.append(byte)
                continue
            }
            let pair = String(decoding: rest.prefix(2), as: UTF8.self)
            bytes.append(try #require(UInt8(pair, radix: 16)))
            rest = rest.dropFirst(2)
        }
        return try #require(String(validating: bytes, as: UTF8.self)).replacing("\r\n", with: "\n")
    }

    /// What a reader makes of a field.
    private static func decoded(_ field: String) throws -> String {
        guard field.hasPrefix("=?utf-8?B?") else { return field }
        let bytes = try field.split(separator: " ").flatMap { word in
            try #require(Base64.decode(word.dropFirst(10).dropLast(2)))
        }
        return try #require(String(validating: bytes, as: UTF8.self))
    }

    @Test func `a mail has one of each field, and the same name and date however often it is made`() throws {
        let message = try Self.compose(Self.invite(team: "Crew"))
        #expect(try message == Self.compose(Self.invite(team: "Crew")))
        let (fields, body) = try Self.split(message)
        #expect(fields["From"] == "errand@mail.example" && fields["To"] == "<guest@example.org>")
        #expect(fields["Subject"] == "Invitation to the team \"Crew\" on Errand")
        #expect(fields["Message-ID"] == "<\(Self.id)@mail.example>")
        #expect(fields["Date"] == "Mon, 21 Sep 2026 14:13:20 +0000")
        #expect(fields["Auto-Submitted"] == "auto-generated" && fields["MIME-Version"] == "1.0")
        let text = try Self.read(body)
        #expect(text.contains("https://errand.test/invite?token=einv_abc\n"))
        #expect(text.contains("errand team accept"))
        #expect(text.contains("\"Ann\" invites you to the team \"Crew\" on https://errand.test, as member."))
    }

    @Test(arguments: [
        "a\r\nBcc: victim@example.org", "a\nSubject: other", "a\u{0}b", "a\u{2028}b", "=?utf-8?Q?=0d=0aX?=",
        "Ärger und Öl", "日本語のとても長い名前のチームでありますので折り返しが必要です", String(repeating: "x", count: 90), "\u{202e}drawer",
    ])
    func `no name makes a field, a line or a direction of its own`(_ name: String) throws {
        let message = try Self.compose(Self.invite(team: name, host: name))
        let (fields, body) = try Self.split(message)
        #expect(fields.count == 9, "\(fields.keys)")
        let shown = LetterText.line(name)
        #expect(try Self.decoded(fields["Subject"] ?? "").contains(shown))
        #expect(try Self.read(body).contains("\"\(shown)\" invites you"))
        for line in message.split(separator: "\r\n", omittingEmptySubsequences: false) {
            #expect(line.utf8.count <= 78, "\(line)")
            #expect(!line.hasPrefix("."))
            #expect(line.utf8.allSatisfy { (0x20..<0x7f).contains($0) }, "\(line)")
        }
    }

    @Test func `long lines are broken softly, and dots and spaces at their edges are written out`() throws {
        let text = ".hidden\nFrom somebody\nends in a space \n" + String(repeating: "ä.", count: 200) + "\ntab\t"
        let encoded = MailMessage.quotedPrintable(text)
        for line in encoded.split(separator: "\r\n", omittingEmptySubsequences: false) {
            #expect(line.utf8.count <= 76 && !line.hasPrefix(".") && !line.hasPrefix("From "))
            #expect(!line.hasSuffix(" ") && !line.hasSuffix("\t"))
        }
        #expect(try Self.read(encoded) == text)
    }

    @Test func `a sender is an address, or a name and an address, and nothing else`() throws {
        let named = try Self.split(try Self.compose(.test, from: "Errand at home <errand@mail.example>"))
        #expect(named.fields["From"] == "Errand at home <errand@mail.example>")
        let encoded = try Self.split(try Self.compose(.test, from: "Öl, Inc. <errand@mail.example>"))
        #expect(encoded.fields["From"] == "=?utf-8?B?w5ZsLCBJbmMu?= <errand@mail.example>")
        for wrong in ["", "errand", "<a@b.example>", "A <a@b.example> x", "A <a b@c.example>", "A\r\nB <a@b.example>"] {
            #expect(MailSender(wrong) == nil, "\(wrong)")
        }
    }

    @Test(arguments: Notice.Kind.allCases)
    func `a notice says what happened, from where and what to do`(_ kind: Notice.Kind) throws {
        let notice = Notice(
            kind,
            at: Self.time,
            deviceName: "Ann's phone",
            address: "192.0.2.7",
            userAgent: "Browser/1 \"x\""
        )
        let text = try Self.read(try Self.split(try Self.compose(.notice(notice))).body)
        for part in [
            "2026-09-21 14:13 UTC", "\"Ann's phone\"", "192.0.2.7", "\"Browser/1 'x'\"", "https://errand.test",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }
}
