import Platform

/// The file that `ERRAND_CONFIG_FILE` names: lines `KEY=VALUE`, `#` comments, optional quotes around the value.
enum ConfigurationFile {
    /// A configuration is a page; a megabyte is a mistake.
    static let limit = 256 * 1024

    static func read(_ path: String) throws(ConfigurationError) -> [String: String] {
        let bytes: [UInt8]
        do throws(PlatformError) {
            bytes = try Files.readAll(path, limit: limit)
        } catch {
            throw problem("\(error)", "name a readable file of at most 256 KiB")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw problem("\(path) is not UTF-8", "write the file as UTF-8 text")
        }
        return try parse(text, name: path)
    }

    static func parse(_ text: String, name: String) throws(ConfigurationError) -> [String: String] {
        var values: [String: String] = [:]
        for (index, line) in lines(of: text).enumerated() {
            let line = line.trimmed()
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw problem("\(name):\(index + 1) has no `=`", "write lines as KEY=VALUE")
            }
            let key = line[..<equals].trimmed()
            guard !key.isEmpty, key.utf8.allSatisfy({ isKeyByte($0) }) else {
                throw problem("\(name):\(index + 1) has no valid key", "write lines as KEY=VALUE, without `export`")
            }
            guard values[String(key)] == nil else {
                throw problem("\(name):\(index + 1) sets \(key) again", "keep one line per key")
            }
            values[String(key)] = unquoted(line[line.index(after: equals)...].trimmed())
        }
        return values
    }

    /// A carriage return and a line feed together are one character, which no split at a line feed would see.
    private static func lines(of text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    }

    private static func unquoted(_ value: Substring) -> String {
        guard value.count >= 2, let quote = value.first, quote == "\"" || quote == "'", value.last == quote else {
            return String(value)
        }
        return String(value.dropFirst().dropLast())
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func problem(_ problem: String, _ fix: String) -> ConfigurationError {
        ConfigurationError(problems: [SettingProblem(name: "ERRAND_CONFIG_FILE", problem: problem, fix: fix)])
    }
}

extension Substring {
    /// Without spaces, tabs and carriage returns at both ends.
    fileprivate func trimmed() -> Substring {
        var rest = self
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return rest
    }
}
