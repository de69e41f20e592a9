import Glibc
import Platform

/// What a process of this machine has in its memory, for root to look at.
enum ProcessMemory {
    private static let piece = 4 << 20

    /// Whether some bytes stand in memory that the process can write.
    static func contains(_ needle: [UInt8], of pid: Int32) throws -> Bool {
        let raw = unsafe open("/proc/\(pid)/mem", O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw PlatformError(stage: "open(/proc/\(pid)/mem)", errno: errno) }
        let memory = OwnedDescriptor(raw)
        var buffer = [UInt8](repeating: 0, count: piece + needle.count)
        for region in try regions(pid) {
            var place = region.lowerBound
            while place < region.upperBound {
                let wanted = min(UInt64(buffer.count), region.upperBound - place)
                let count = unsafe pread(memory.raw, &buffer, Int(wanted), off_t(Int64(bitPattern: place)))
                guard count > 0 else { break }
                if find(needle, in: buffer, count) { return true }
                // The next piece overlaps, so that nothing hides on the border.
                place +=
                    count == Int(wanted) && Int(wanted) > needle.count ? UInt64(count - needle.count) : UInt64(count)
                if wanted < UInt64(buffer.count) { break }
            }
        }
        return false
    }

    private static func regions(_ pid: Int32) throws -> [Range<UInt64>] {
        let text = String(decoding: try Files.readAll("/proc/\(pid)/maps", limit: 16 << 20), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 1, fields[1].hasPrefix("rw") else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
        }
    }

    private static func find(_ needle: [UInt8], in buffer: [UInt8], _ count: Int) -> Bool {
        guard let first = needle.first else { return true }
        return unsafe buffer.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            var place = 0
            while place + needle.count <= count,
                let found = unsafe memchr(start + place, Int32(first), count - place - needle.count + 1)
            {
                if unsafe memcmp(found, needle, needle.count) == 0 { return true }
                place = unsafe UnsafeRawPointer(found) - start + 1
            }
            return false
        }
    }
}
