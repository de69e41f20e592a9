package import Bytes
package import Core

/// Who a mail is from: an address, and maybe a name before it.
package struct MailSender: Sendable, Equatable {
    package let name: String?
    package let address: String

    /// Reads `ADDRESS` or `NAME <ADDRESS>`; nil for anything else.
    package init?(_ text: String) {
        guard let open = text.lastIndex(of: "<") else {
            guard EmailAddress.canonical(text) != nil else { return nil }
            (name, address) = (nil, text)
            return
        }
        let inner = text[text.index(after: open)...]
        guard inner.hasSuffix(">"), EmailAddress.canonical(String(inner.dropLast())) != nil else { return nil }
        var name = text[..<open]
        while name.last == " " { name.removeLast() }
        guard !name.isEmpty, LetterText.line(String(name)) == name else { return nil }
        self.name = String(name)
        address = String(inner.dropLast())
    }

    /// What stands behind the `@`.
    package var domain: Substring { address[address.index(after: address.lastIndex(of: "@") ?? address.startIndex)...] }
}

/// A mail as RFC 5322 and MIME have it: text in UTF-8, as quoted-printable, in lines that every server takes.
package enum MailMessage {
    private static let lineLength = 76

    /// Writes a letter down; the same letter is the same mail, with the same name, however often it is sent.
    package static func compose(
        _ text: LetterText,
        id: LetterID,
        at time: Timestamp,
        from sender: MailSender,
        to recipient: String
    ) -> [UInt8] {
        let from = sender.name.map { "\(phrase($0)) <\(sender.address)>" } ?? sender.address
        let head = [
            "From: \(from)",
            "To: <\(recipient)>",
            "Subject: \(unstructured(text.subject, after: "Subject: ".utf8.count))",
            "Date: \(date(time))",
            "Message-ID: <\(id)@\(sender.domain)>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            "Auto-Submitted: auto-generated",
            "",
        ]
        let body = quotedPrintable(text.paragraphs.joined(separator: "\n\n") + "\n")
        return [UInt8]((head.joined(separator: "\r\n") + "\r\n" + body).utf8)
    }

    /// A text of a header field: as it is when it is plain and short, else as encoded words.
    static func unstructured(_ text: String, after column: Int = 0) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20..<0x7f).contains($0) } && !text.contains("=?")
        return isPlain && text.utf8.count + column <= lineLength ? text : encodedWords(text)
    }

    /// A name before an address: atoms as they are, everything else as encoded words, which need no quotes.
    private static func phrase(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || byte == 0x20 || byte == 0x2d
        }
        return isPlain && name.utf8.count <= lineLength - 16 ? name : encodedWords(name)
    }

    /// RFC 2047 words of at most 75 characters, none of which cuts a character, each on a line of its own.
    private static func encodedWords(_ text: String) -> String {
        var (words, word): ([String], [UInt8]) = ([], [])
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            // Thirty-nine bytes are fifty-two characters of base64; with what makes a word of it there is room for a name.
            if word.count + bytes.count > 39 {
                words.append("=?utf-8?B?\(Base64.encode(word))?=")
                word = []
            }
            word += bytes
        }
        words.append("=?utf-8?B?\(Base64.encode(word))?=")
        return words.joined(separator: "\r\n ")
    }

    /// RFC 2045: every line ends in CR LF and has at most 76 characters, none begins with a dot or ends in a space.
    static func quotedPrintable(_ text: String) -> String {
        var lines: [String] = []
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let bytes = Array(line.utf8)
            var current = ""
            for (index, byte) in bytes.enumerated() {
                let isEdge = index == bytes.count - 1
                let isSafe =
                    (0x21..<0x7f).contains(byte) && byte != UInt8(ascii: "=")
                    || (byte == 0x20 || byte == 0x09) && !isEdge
                let written = "=" + Hex.encode([byte]).uppercased()
                let piece = isSafe ? String(Unicode.Scalar(byte)) : written
                if current.utf8.count + piece.utf8.count > lineLength - 1 {
                    lines.append(current + "=")
                    current = ""
                }
                // A dot alone on a line would end the mail; `From ` at its beginning is changed by old mailboxes.
                let isRisky = current.isEmpty && (byte == UInt8(ascii: ".") || byte == UInt8(ascii: "F"))
                current += isRisky ? written : piece
            }
            lines.append(current)
        }
        return lines.joined(separator: "\r\n")
    }

    /// `Sun, 22 Nov 2026 00:40:06 +0000`.
    static func date(_ time: Timestamp) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let text = time.rfc3339
        let day = Int(((time.milliseconds / 86_400_000) % 7 + 7) % 7)
        let month = (Int(text.dropFirst(5).prefix(2)) ?? 1) - 1
        return "\(days[day]), \(text.dropFirst(8).prefix(2)) \(months[month]) \(text.prefix(4)) "
            + "\(text.dropFirst(11).prefix(8)) +0000"
    }
}
