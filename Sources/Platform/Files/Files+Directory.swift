import CLinux
import Glibc

/// What the file system says about a path, without following a final symbolic link.
package struct FileStatus: Hashable, Sendable {
    /// Whether it is a directory.
    package let isDirectory: Bool
    /// Whether it is a regular file.
    package let isRegularFile: Bool
    /// The permission bits.
    package let mode: UInt32
    /// The owner's number.
    package let userID: UInt32
    /// The group's number.
    package let groupID: UInt32
    /// The length in bytes.
    package let size: Int64
}

/// What tells one file from another, whatever path leads to it.
package struct FileIdentity: Hashable, Sendable {
    /// The number of the file system.
    package let device: UInt64
    /// The number of the file in it.
    package let inode: UInt64
}

extension Files {
    /// What the path leads to, following links; nil when there is nothing or it may not be looked at.
    package static func identity(_ path: String) -> FileIdentity? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Where a symbolic link points, or nil when the path is none.
    package static func linkTarget(_ path: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress else { return -1 }
            return unsafe readlink(path, start, buffer.count)
        }
        return count >= 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }

    /// Moves a file or directory to another path of the same file system, replacing a file that is there.
    package static func rename(_ path: String, to target: String) throws(PlatformError) {
        try systemCall("rename(\(path), \(target))") { unsafe Glibc.rename(path, target) }
    }

    /// What the file system says about a path; nil when there is nothing.
    package static func status(_ path: String) throws(PlatformError) -> FileStatus? {
        var status = stat()
        do throws(PlatformError) {
            try systemCall("lstat(\(path))") { unsafe lstat(path, &status) }
        } catch  where error.errno == ENOENT || error.errno == ENOTDIR {
            return nil
        }
        return FileStatus(
            isDirectory: status.st_mode & S_IFMT == S_IFDIR,
            isRegularFile: status.st_mode & S_IFMT == S_IFREG,
            mode: status.st_mode & 0o7777,
            userID: status.st_uid,
            groupID: status.st_gid,
            size: Int64(status.st_size)
        )
    }

    /// Whether there is something at the path, also a dangling link.
    package static func exists(_ path: String) -> Bool {
        (try? status(path)) != nil
    }

    /// Whether the path leads to a regular file that this process may execute.
    package static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return unsafe access(path, X_OK) == 0
    }

    /// The path without links and dots; the file must exist.
    package static func resolved(_ path: String) throws(PlatformError) -> String {
        guard let text = unsafe realpath(path, nil) else {
            throw PlatformError(stage: "realpath(\(path))", errno: errno)
        }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    /// Makes a directory, and those above it when they are missing; an existing one keeps its mode.
    package static func createDirectory(_ path: String, mode: UInt32 = 0o700) throws(PlatformError) {
        do throws(PlatformError) {
            try systemCall("mkdir(\(path))") { unsafe mkdir(path, mode) }
        } catch  where error.errno == EEXIST {
            guard try status(path)?.isDirectory == true else { throw error }
            return
        } catch  where error.errno == ENOENT {
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw error }
            try createDirectory(String(path[..<slash]), mode: mode)
            try systemCall("mkdir(\(path))") { unsafe mkdir(path, mode) }
        }
        try setMode(path, mode)
    }

    /// Removes a file, a link or an empty directory; nothing happens when it is missing.
    package static func remove(_ path: String) throws(PlatformError) {
        do throws(PlatformError) {
            try systemCall("remove(\(path))") { unsafe Glibc.remove(path) }
        } catch  where error.errno == ENOENT {
            return
        }
    }

    /// The names in a directory, sorted.
    package static func list(_ path: String) throws(PlatformError) -> [String] {
        guard let directory = unsafe opendir(path) else { throw PlatformError(stage: "opendir(\(path))", errno: errno) }
        defer { unsafe closedir(directory) }
        return unsafe names(of: directory).sorted()
    }

    /// The names in an open directory, without itself and the one above.
    static func names(of directory: OpaquePointer) -> [String] {
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Sets the permission bits.
    package static func setMode(_ path: String, _ mode: UInt32) throws(PlatformError) {
        try systemCall("chmod(\(path))") { unsafe chmod(path, mode) }
    }

    /// Gives a path to a user and a group, not following a final link.
    package static func setOwner(_ path: String, userID: UInt32, groupID: UInt32) throws(PlatformError) {
        try systemCall("lchown(\(path))") { unsafe lchown(path, userID, groupID) }
    }

    /// Bytes that an ordinary user may still write to the path's file system.
    package static func freeBytes(_ path: String) throws(PlatformError) -> Int64 {
        var free: Int64 = 0
        try systemCall("statvfs(\(path))") { unsafe clinux_free_bytes(path, &free) }
        return free
    }

    /// The machine's name.
    package static func hostName() throws(PlatformError) -> String {
        var name = [CChar](repeating: 0, count: 256)
        // One byte less than there is: a name that fills the buffer is not terminated.
        try systemCall("gethostname") { unsafe gethostname(&name, name.count - 1) }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
