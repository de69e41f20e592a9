import Core

/// The forms that settings come in: each turns text into a value or says how to write it.
enum SettingForms {
    static func integer(_ range: ClosedRange<Int>) -> @Sendable (String) throws(SettingFix) -> Int {
        { text throws(SettingFix) in
            guard let value = Int(text), range.contains(value) else {
                throw SettingFix(text: "write a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
    }

    /// A number of something, or `none` for no limit.
    static func quota(_ text: String) throws(SettingFix) -> QuotaSetting {
        if text == "none" { return .unlimited }
        guard let value = Int64(text), (0...QuotaSetting.largest).contains(value) else {
            throw SettingFix(text: "write a whole number, or none for no limit")
        }
        return .limit(value)
    }

    static func path(_ text: String) throws(SettingFix) -> String {
        guard text.hasPrefix("/"), !text.utf8.contains(0) else {
            throw SettingFix(text: "write an absolute path, beginning with /")
        }
        return text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    static func listen(_ text: String) throws(SettingFix) -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw SettingFix(text: "write host:port, for example 127.0.0.1:8443 or [::]:8443")
        }
        return address
    }

    /// An origin of the web: scheme, host and maybe a port, nothing behind.
    static func origin(_ schemes: [String]) -> @Sendable (String) throws(SettingFix) -> String {
        { text throws(SettingFix) in
            let form = "write \(schemes.map { "\($0)://HOST[:PORT]" }.joined(separator: " or ")) without a path"
            let value = text.hasSuffix("/") ? String(text.dropLast()) : text
            guard let scheme = schemes.first(where: { value.hasPrefix("\($0)://") }) else {
                throw SettingFix(text: form)
            }
            let host = value.dropFirst(scheme.count + 3)
            let isPlain = host.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && !"/?#@\\\"".utf8.contains(byte)
            }
            guard !host.isEmpty, isPlain else { throw SettingFix(text: form) }
            return value
        }
    }

    /// A host, or a host and a port, an IPv6 address in brackets; nil for anything else.
    static func hostAndPort(_ text: String) -> String? {
        let isWhole = ListenAddress(text) != nil || ListenAddress("\(text):1") != nil
        return isWhole && !text.contains("*") ? text : nil
    }

    static func url(_ schemes: [String]) -> @Sendable (String) throws(SettingFix) -> Secret {
        { text throws(SettingFix) in
            guard schemes.contains(where: { text.hasPrefix("\($0)://") }) else {
                throw SettingFix(
                    text: "write a URL that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
                )
            }
            return Secret(text)
        }
    }

    /// A text on one line.
    static func line(_ text: String) throws(SettingFix) -> String {
        guard text.utf8.count <= 320, !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f })
        else {
            throw SettingFix(text: "write at most 320 bytes on one line")
        }
        return text
    }

    static func secret(_ text: String) throws(SettingFix) -> Secret {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw SettingFix(text: "write it without spaces and line breaks")
        }
        return Secret(text)
    }

    /// A name of letters, digits, dots, hyphens and underscores, at most 64; nil for anything else.
    static func name(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isPlain && 1...64 ~= text.utf8.count ? text : nil
    }

    static func plainName(_ text: String) throws(SettingFix) -> String {
        guard let name = name(text) else {
            throw SettingFix(text: "write at most 64 letters, digits, dots, hyphens and underscores")
        }
        return name
    }

    static func level(_ text: String) throws(SettingFix) -> LogLevel {
        guard let level = LogLevel(rawValue: text) else {
            let names = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingFix(text: "write one of \(names)")
        }
        return level
    }

    static func list<Value>(
        _ form: String,
        _ element: @escaping @Sendable (String) -> Value?
    ) -> @Sendable (String) throws(SettingFix) -> [Value] {
        { text throws(SettingFix) in
            var values: [Value] = []
            for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
                guard let value = element(String(part)) else { throw SettingFix(text: form) }
                values.append(value)
            }
            return values
        }
    }
}
