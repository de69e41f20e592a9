import Glibc

extension Files {
    /// Removes a directory with all it holds; nothing happens when it is missing.
    ///
    /// Each step goes by a descriptor and follows no link: the tree may be another account's, and change meanwhile.
    package static func removeTree(_ path: String) throws(PlatformError) {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
        let directory: OwnedDescriptor
        do throws(PlatformError) {
            directory = try openDirectory(parent, in: AT_FDCWD, stage: parent)
        } catch  where error.errno == ENOENT {
            return
        }
        try removeTree(name, in: directory.raw, stage: path)
    }

    private static func removeTree(_ name: String, in parent: Int32, stage: String) throws(PlatformError) {
        if try unlink(name, in: parent, flags: 0, stage: stage) { return }
        let directory: OwnedDescriptor
        do throws(PlatformError) {
            directory = try openDirectory(name, in: parent, flags: O_NOFOLLOW, stage: stage)
        } catch  where error.errno == ENOENT {
            return
        }
        for child in try names(in: directory.raw, stage: stage) {
            try removeTree(child, in: directory.raw, stage: "\(stage)/\(child)")
        }
        _ = try unlink(name, in: parent, flags: AT_REMOVEDIR, stage: stage)
    }

    /// Removes a name; false when it is a directory's, and only `AT_REMOVEDIR` would do.
    private static func unlink(
        _ name: String,
        in directory: Int32,
        flags: Int32,
        stage: String
    ) throws(PlatformError) -> Bool {
        do throws(PlatformError) {
            try systemCall("unlink(\(stage))") { unsafe unlinkat(directory, name, flags) }
            return true
        } catch  where error.errno == ENOENT {
            return true
        } catch  where error.errno == EISDIR && flags == 0 {
            return false
        }
    }

    private static func openDirectory(
        _ name: String,
        in directory: Int32,
        flags: Int32 = 0,
        stage: String
    ) throws(PlatformError) -> OwnedDescriptor {
        OwnedDescriptor(
            try systemCall("open(\(stage))") {
                unsafe openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags)
            }
        )
    }

    private static func names(in directory: Int32, stage: String) throws(PlatformError) -> [String] {
        // The stream owns its descriptor, so it gets one of its own.
        let copy = OwnedDescriptor(try systemCall("dup(\(stage))") { fcntl(directory, F_DUPFD_CLOEXEC, 0) })
        guard let stream = unsafe fdopendir(copy.raw) else {
            throw PlatformError(stage: "fdopendir(\(stage))", errno: errno)
        }
        _ = copy.release()
        defer { unsafe closedir(stream) }
        return unsafe names(of: stream)
    }
}
