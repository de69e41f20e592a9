import Bytes
import Core
import Glibc
import Platform

/// Texts that come from files or from standard input.
enum InputText {
    /// Reads a file, or standard input for `-`, as UTF-8.
    static func read(_ path: String, limit: Int, what: String) async throws -> String {
        let bytes: [UInt8]
        do {
            bytes = try await BlockingPool.run {
                path == "-"
                    ? try Files.readAll(STDIN_FILENO, name: "standard input", limit: limit)
                    : try Files.readAll(path, limit: limit)
            }
        } catch let error as PlatformError where error.errno == EFBIG {
            throw CommandFailure("\(what) is longer than \(limit) bytes", exitCode: ExitCode.usage)
        } catch let error as PlatformError {
            throw CommandFailure("\(what): \(error)", exitCode: ExitCode.usage)
        }
        guard let text = String(strictUTF8: bytes) else {
            throw CommandFailure("\(what) is not UTF-8 text", exitCode: ExitCode.usage)
        }
        return text
    }

    /// Whether standard input is a pipe or a file rather than a person.
    static var isPiped: Bool { isatty(STDIN_FILENO) != 1 }
}
