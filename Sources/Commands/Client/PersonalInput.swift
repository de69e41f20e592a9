import Glibc
import Platform

/// Questions to the person at the terminal, whatever the standard streams are.
enum PersonalInput {
    /// Longer answers are no passwords and no addresses.
    private static let longest = 1_024

    /// Whether there is a person to ask.
    static func isThere() async throws -> Bool {
        try await BlockingPool.run {
            let raw = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
            guard raw >= 0 else { return false }
            _ = OwnedDescriptor(raw)
            return true
        }
    }

    /// Asks for a line; nil when there is no person to ask.
    static func ask(_ question: String, isSecret: Bool) async throws -> String? {
        try await BlockingPool.run { () throws -> String? in
            let raw = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
            guard raw >= 0 else { return nil }
            let terminal = OwnedDescriptor(raw)
            return try ask(question, isSecret: isSecret, on: terminal.raw)
        }
    }

    private static func ask(_ question: String, isSecret: Bool, on raw: Int32) throws -> String {
        try Files.writeAll(raw, Array(question.utf8), name: "terminal")
        guard isSecret else { return try line(on: raw) }
        var before = termios()
        guard unsafe tcgetattr(raw, &before) == 0 else { throw PlatformError(stage: "tcgetattr", errno: errno) }
        var silent = before
        // Signals come as characters too: an interrupt must not leave the terminal silent behind.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard unsafe tcsetattr(raw, TCSAFLUSH, &silent) == 0 else {
            throw PlatformError(stage: "tcsetattr", errno: errno)
        }
        defer {
            unsafe tcsetattr(raw, TCSAFLUSH, &before)
            try? Files.writeAll(raw, [UInt8(ascii: "\n")], name: "terminal")
        }
        return try line(on: raw)
    }

    private static func line(on raw: Int32) throws -> String {
        var editor = SecretLine(limit: longest)
        var byte: UInt8 = 0
        while true {
            let count = unsafe read(raw, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { throw CommandFailure("the terminal is gone", exitCode: ExitCode.interrupted) }
            switch editor.take(byte) {
            case .more: continue
            case .done(let text): return text
            case .interrupted: throw CommandFailure("interrupted", exitCode: ExitCode.interrupted)
            }
        }
    }
}

/// A line typed without the terminal's own editing.
struct SecretLine {
    /// What a key made of the line.
    enum Step: Equatable {
        case more
        case done(String)
        case interrupted
    }

    private let limit: Int
    private var bytes: [UInt8] = []

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes a key.
    mutating func take(_ key: UInt8) -> Step {
        switch key {
        case 0x03: return .interrupted
        case 0x0a, 0x0d: return .done(String(decoding: bytes, as: UTF8.self))
        // End of input ends the line, or everything when there is no line.
        case 0x04: return bytes.isEmpty ? .interrupted : .done(String(decoding: bytes, as: UTF8.self))
        case 0x08, 0x7f:
            // A character goes with all its bytes.
            while let last = bytes.popLast(), last & 0xc0 == 0x80 {}
        case 0x15: bytes = []
        default:
            if bytes.count < limit { bytes.append(key) }
        }
        return .more
    }
}
