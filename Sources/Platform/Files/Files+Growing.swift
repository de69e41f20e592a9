import CLinux
import Glibc

extension Files {
    /// Adds bytes to the end of a file, made when it is missing, and waits until they are on the disk.
    package static func append(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(PlatformError) {
        let isNew = try status(path) == nil
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC
        let file = OwnedDescriptor(try systemCall("open(\(path))") { unsafe clinux_open(path, flags, mode) })
        if isNew { try systemCall("fchmod(\(path))") { fchmod(file.raw, mode) } }
        try writeAll(file.raw, bytes, name: path)
        try systemCall("fdatasync(\(path))") { fdatasync(file.raw) }
        if isNew { try syncDirectory(directory(of: path)) }
    }

    /// Gives each line of a file, without its break, in constant memory; `EFBIG` for a line beyond the limit.
    ///
    /// The first line begins at byte `offset`. What stands behind the last break is given as a line too, unless it is
    /// empty.
    package static func forEachLine(
        _ path: String,
        from offset: Int64 = 0,
        limit: Int = 1 << 20,
        _ body: (ArraySlice<UInt8>) throws -> Void
    ) throws {
        let file = OwnedDescriptor(
            try systemCall("open(\(path))") { unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0) }
        )
        if offset > 0 { try systemCall("lseek(\(path))") { lseek(file.raw, off_t(offset), SEEK_SET) } }
        var held: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            let count = try systemCall("read(\(path))") { unsafe read(file.raw, &chunk, chunk.count) }
            if count == 0 { break }
            var rest = chunk[..<count]
            while let mark = rest.firstIndex(of: 0x0a) {
                if held.isEmpty {
                    try body(rest[..<mark])
                } else {
                    held += rest[..<mark]
                    try body(held[...])
                    held.removeAll(keepingCapacity: true)
                }
                rest = rest[(mark + 1)...]
            }
            held += rest
            guard held.count <= limit else { throw PlatformError(stage: "read(\(path)): a line", errno: EFBIG) }
        }
        if !held.isEmpty { try body(held[...]) }
    }
}
