import Bytes
import Core
import Platform

/// A list of leaked passwords on disk: lines of `SHA-1:COUNT` in hexadecimal, sorted, as such lists are handed on.
///
/// It is searched where it lies, so its size costs no memory; hashes may be cut to their first digits.
package struct BreachedPasswordFile: BreachedPasswords {
    /// Hexadecimal digits of a hash, cut or whole: with fewer than 16 a good password would be hit by chance.
    private static let digits = 16...40
    /// No line is longer: the hash, a colon, and a count.
    private static let longestLine = 80

    private let path: String

    /// Looks at the file's two ends, so that a wrong one is refused at start and not at somebody's new password.
    package init(_ path: String) throws {
        self.path = path
        _ = try open()
    }

    /// The file, once its two ends are in order: one that was cut to nothing since must not let everything pass.
    private func open() throws -> RandomAccessFile {
        let file = try RandomAccessFile(path)
        let (first, last) = (try line(of: file, from: 0), try lastLine(of: file))
        guard let first, let last, !Self.precedes(last.hash, first.hash) else { throw BreachedPasswordFileError(path) }
        return file
    }

    /// Whether the list holds the SHA-1; the file is opened for each look-up, so a new one may take its place.
    package func contains(sha1 digest: [UInt8]) throws -> Bool {
        let wanted = Array(Hex.encode(digest).uppercased().utf8)
        let file = try open()
        var (low, high) = (Int64(0), file.size)
        while low < high {
            let middle = low + (high - low) / 2
            // The line that begins at the middle or behind it; without one before the end the rest has none.
            guard let found = try line(of: file, from: middle), found.start < high else {
                high = middle
                continue
            }
            if wanted.starts(with: found.hash) { return true }
            if Self.precedes(found.hash, wanted) { low = found.end } else { high = middle }
        }
        return false
    }

    private struct Line {
        let hash: [UInt8]
        let start: Int64
        /// Where the next line begins.
        let end: Int64
    }

    /// The first line that begins at `offset` or behind it; nil at the end of the file.
    private func line(of file: borrowing RandomAccessFile, from offset: Int64) throws -> Line? {
        // A line begins where the one before has ended.
        let begin = max(0, offset - 1)
        let bytes = try file.read(at: begin, count: 2 * Self.longestLine)
        var start = 0
        if offset > 0 {
            guard let lineBreak = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
                if begin + Int64(bytes.count) >= file.size { return nil }
                throw BreachedPasswordFileError(path)
            }
            start = lineBreak + 1
        }
        guard start < bytes.count else { return nil }
        let rest = bytes[start...]
        let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        guard let hash = Self.hash(rest[..<(end ?? rest.endIndex)]) else { throw BreachedPasswordFileError(path) }
        return Line(hash: hash, start: begin + Int64(start), end: begin + Int64(end.map { $0 + 1 } ?? bytes.count))
    }

    private func lastLine(of file: borrowing RandomAccessFile) throws -> Line? {
        var last: Line?
        var offset = max(0, file.size - Int64(Self.longestLine))
        while offset < file.size, let next = try line(of: file, from: offset) {
            last = next
            offset = next.end
        }
        return last
    }

    /// The hash that a line begins with, in upper case.
    private static func hash(_ line: ArraySlice<UInt8>) -> [UInt8]? {
        let hash = line.prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "\r") }
        let upper = hash.map { (0x61...0x66).contains($0) ? $0 - 0x20 : $0 }
        let isHex = upper.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x46).contains($0) }
        return isHex && digits.contains(upper.count) ? upper : nil
    }

    private static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.lexicographicallyPrecedes(right) }
}

/// A file that is no sorted list of hashes.
package struct BreachedPasswordFileError: Error, CustomStringConvertible {
    /// What is wrong, for the log.
    package let description: String

    init(_ path: String) {
        description = "\(path) is not a sorted list of lines SHA-1:COUNT"
    }
}
