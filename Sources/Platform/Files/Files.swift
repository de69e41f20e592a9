import CLinux
import Glibc

/// Whole-file calls that block: off the loop through `BlockingPool`, or at start-up.
package enum Files {
    /// Reads a whole file; `EFBIG` when it is longer than the limit.
    package static func readAll(_ path: String, limit: Int) throws(PlatformError) -> [UInt8] {
        let file = OwnedDescriptor(
            try systemCall("open(\(path))") { unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0) }
        )
        return try readAll(file.raw, name: path, limit: limit)
    }

    /// Replaces a file by a whole new one, durably: after a crash there is the old content or the new.
    ///
    /// With `owner` the new file belongs to whom that one does, from the moment on at which it can be seen.
    package static func writeAtomically(
        _ path: String,
        _ bytes: [UInt8],
        mode: UInt32 = 0o600,
        owner: FileStatus? = nil
    ) throws(PlatformError) {
        let temporary = "\(path).new-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        do throws(PlatformError) {
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
            let file = OwnedDescriptor(
                try systemCall("create(\(temporary))") { unsafe clinux_open(temporary, flags, mode) }
            )
            // The mode given at creation is cut by the process's mask.
            try systemCall("fchmod(\(temporary))") { fchmod(file.raw, mode) }
            if let owner, owner.userID != geteuid() || owner.groupID != getegid() {
                try systemCall("fchown(\(temporary))") { fchown(file.raw, owner.userID, owner.groupID) }
            }
            try writeAll(file.raw, bytes, name: temporary)
            try systemCall("fsync(\(temporary))") { fsync(file.raw) }
            try systemCall("rename(\(path))") { unsafe Glibc.rename(temporary, path) }
            try syncDirectory(directory(of: path))
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }

    /// Takes an exclusive lock on a file that is created when it is missing; nil while another process holds it.
    ///
    /// The lock ends when the descriptor is closed, also by the end of the process. A link is refused: in a directory of
    /// another account it could lead anywhere.
    package static func lock(_ path: String) throws(PlatformError) -> OwnedDescriptor? {
        let file = OwnedDescriptor(
            try systemCall("open(\(path))") {
                unsafe clinux_open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            }
        )
        do throws(PlatformError) {
            try systemCall("flock(\(path))") { flock(file.raw, LOCK_EX | LOCK_NB) }
        } catch  where error.errno == EWOULDBLOCK {
            return nil
        }
        return file
    }

    /// Writes bytes to an open descriptor, all of them.
    package static func writeAll(_ raw: Int32, _ bytes: [UInt8], name: String) throws(PlatformError) {
        var sent = 0
        while sent < bytes.count {
            sent += try systemCall("write(\(name))") {
                unsafe bytes.withUnsafeBytes { buffer in
                    let part = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
                    return unsafe write(raw, part.baseAddress, part.count)
                }
            }
        }
    }

    /// Reads an open descriptor to its end; `EFBIG` beyond the limit.
    package static func readAll(_ raw: Int32, name: String, limit: Int) throws(PlatformError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = try systemCall("read(\(name))") { unsafe read(raw, &chunk, chunk.count) }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw PlatformError(stage: "read(\(name))", errno: EFBIG) }
            bytes += chunk[..<count]
        }
    }

    /// The directory that holds a path's last name.
    static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Brings a directory's entries to the disk for good; their contents are not its affair.
    package static func syncDirectory(_ path: String) throws(PlatformError) {
        let directory = OwnedDescriptor(
            try systemCall("open(\(path))") { unsafe clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        )
        try systemCall("fsync(\(path))") { fsync(directory.raw) }
    }

    /// Brings a file's contents to the disk for good; false when there is no such file any more.
    package static func syncData(_ path: String) throws(PlatformError) -> Bool {
        do throws(PlatformError) {
            let file = OwnedDescriptor(
                try systemCall("open(\(path))") { unsafe clinux_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0) }
            )
            try systemCall("fdatasync(\(path))") { fdatasync(file.raw) }
            return true
        } catch  where error.errno == ENOENT {
            return false
        }
    }
}
