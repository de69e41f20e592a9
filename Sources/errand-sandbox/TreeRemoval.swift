import CLinux
import Glibc

/// Deletes a tree that a workload filled: no link is followed, and no depth, name or mode makes it stop.
///
/// A directory that is not empty is moved up to the top and emptied there, so that two descriptors are enough for any
/// depth.
struct TreeRemoval {
    private let top: Int32
    private var serial = 0
    private var failure: Int32 = 0

    /// Empties and removes the directory `name` below `parent`; 0 or an errno.
    static func remove(_ name: String, below parent: Int32) -> Int32 {
        let raw = unsafe errand_open_beneath(parent, name, UInt64(O_RDONLY | O_DIRECTORY))
        guard raw >= 0 else { return raw == -ENOENT ? 0 : -raw }
        let directory = Descriptor(raw)
        var removal = TreeRemoval(top: directory.raw)
        while removal.failure == 0 {
            guard let names = removal.namesFromStart(of: directory.raw) else { break }
            if names.isEmpty { break }
            for name in names { removal.removeAtTop(name) }
        }
        guard removal.failure == 0 else { return removal.failure }
        return unsafe unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : errno
    }

    private init(top: Int32) {
        self.top = top
    }

    private mutating func namesFromStart(of directory: Int32) -> [[CChar]]? {
        guard lseek(directory, 0, SEEK_SET) >= 0 else {
            failure = errno
            return nil
        }
        do {
            while true {
                let batch = try nextNames(directory)
                if batch.ended || !batch.rawNames.isEmpty { return batch.rawNames }
            }
        } catch {
            failure = error.errno
            return nil
        }
    }

    private mutating func removeAtTop(_ name: [CChar]) {
        if unlink(top, name) { return }
        let raw = openForced(top, name)
        guard raw >= 0 else {
            failure = -raw
            return
        }
        let directory = Descriptor(raw)
        while failure == 0, let names = namesFromStart(of: directory.raw), !names.isEmpty {
            for inner in names where failure == 0 && !unlink(directory.raw, inner) {
                liftUp(inner, from: directory.raw)
            }
        }
        if failure == 0, unsafe unlinkat(top, name, AT_REMOVEDIR) != 0 { failure = errno }
    }

    /// Removes anything but a directory with content; false for that.
    private mutating func unlink(_ directory: Int32, _ name: [CChar]) -> Bool {
        if unsafe unlinkat(directory, name, 0) == 0 || errno == ENOENT { return true }
        guard errno == EISDIR || errno == EPERM else {
            failure = errno
            return true
        }
        if unsafe unlinkat(directory, name, AT_REMOVEDIR) == 0 { return true }
        guard errno == ENOTEMPTY || errno == EEXIST || errno == EACCES else {
            failure = errno
            return true
        }
        return false
    }

    private mutating func liftUp(_ name: [CChar], from directory: Int32) {
        serial += 1
        // Without root, a directory that its owner made unwritable can be neither moved nor read.
        let raw = openForced(directory, name)
        guard raw >= 0 else {
            failure = -raw
            return
        }
        close(raw)
        while unsafe renameat(directory, name, top, "lifted-\(serial)") != 0 {
            guard errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR else {
                failure = errno
                return
            }
            serial += 1
        }
    }

    /// Opens a directory after making it ours to read and write, by descriptor and never through a link.
    private func openForced(_ directory: Int32, _ name: [CChar]) -> Int32 {
        let path = unsafe openat(directory, name, ERRAND_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard path >= 0 else { return -errno }
        let held = Descriptor(path)
        guard unsafe chmod("/proc/self/fd/\(held.raw)", 0o700) == 0 else { return -errno }
        return answer(unsafe openat(held.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    }
}
