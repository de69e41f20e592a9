import FoundationEssentials
import HTTP
import Testing

/// One case of the llhttp test files.
struct LlhttpCase {
    let name: String
    let type: String
    let bytes: [UInt8]
    let log: [Substring]

    /// Whether llhttp refuses; its pauses at an upgrade are no refusals.
    var isRefused: Bool {
        log.contains { $0.contains("error code=") && !$0.contains("Pause on") }
    }

    var completeMessages: Int {
        log.filter { $0.hasSuffix("message complete") }.count
    }

    var bodyLength: Int {
        log.reduce(0) { sum, line in
            guard line.contains("span[body]"), let start = line.firstRange(of: "len=")?.upperBound else { return sum }
            return sum + (Int(line[start...].prefix { $0.isNumber }) ?? 0)
        }
    }
}

/// Reads the llhttp test files from `ERRAND_VECTORS` or from beside the package.
enum LlhttpVectors {
    static let files = ["transfer-encoding", "content-length", "invalid", "method", "uri", "finish"]

    /// All cases, or none with a warning when the files are absent.
    static func load() throws -> [LlhttpCase] {
        let folder = ProcessInfo.processInfo.environment["ERRAND_VECTORS"] ?? "../shared/vectors"
        var cases: [LlhttpCase] = []
        for file in files {
            guard let data = FileManager.default.contents(atPath: "\(folder)/llhttp/request-\(file).md") else {
                Issue.record("vectors absent: request-\(file).md is not under \(folder)", severity: .warning)
                return []
            }
            cases += parse(String(decoding: data, as: UTF8.self), file: file)
        }
        return cases
    }

    private static func parse(_ text: String, file: String) -> [LlhttpCase] {
        var cases: [LlhttpCase] = []
        var title = ""
        var type = ""
        var input: [Substring]?
        var block: (language: String, lines: [Substring])?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let open = block {
                guard line == "```" else {
                    block = (open.language, open.lines + [line])
                    continue
                }
                block = nil
                if open.language == "http" { input = open.lines }
                if open.language == "log", let lines = input {
                    let name = "\(file): \(title)"
                    cases.append(LlhttpCase(name: name, type: type, bytes: wire(lines), log: open.lines))
                    input = nil
                }
            } else if line.hasPrefix("```") {
                block = (String(line.dropFirst(3)), [])
            } else if line.hasPrefix("#") {
                title = String(line.drop { $0 == "#" || $0 == " " })
            } else if line.hasPrefix("<!-- meta="), let start = line.firstRange(of: "\"type\": \"")?.upperBound {
                type = String(line[start...].prefix { $0 != "\"" })
            }
        }
        return cases
    }

    // The recipe of llhttp's own reader: continuation lines joined, CR LF between lines, then the escapes.
    private static func wire(_ lines: [Substring]) -> [UInt8] {
        let joined = lines.joined(separator: "\n").replacing("\\\n", with: "").replacing("\n", with: "\r\n")
        var bytes: [UInt8] = []
        var rest = Array(joined.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.first else {
                bytes.append(byte)
                continue
            }
            switch kind {
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "x"):
                bytes.append(UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                let digits = rest.prefix(3).prefix { (0x30...0x37).contains($0) }
                bytes.append(UInt8(String(decoding: digits, as: UTF8.self), radix: 8) ?? 0)
                rest = rest.dropFirst(digits.count - 1)
            default:
                bytes.append(byte)
                continue
            }
            rest = rest.dropFirst()
        }
        return bytes
    }
}
