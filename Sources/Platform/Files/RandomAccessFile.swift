import CLinux
import Glibc

/// An open file of which pieces are read here and there; its calls block.
package struct RandomAccessFile: ~Copyable {
    private let file: OwnedDescriptor
    private let name: String
    /// Bytes of the file when it was opened.
    package let size: Int64

    /// Opens a regular file for reading.
    package init(_ path: String) throws(PlatformError) {
        let opened = OwnedDescriptor(
            try systemCall("open(\(path))") { unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0) }
        )
        var status = stat()
        try systemCall("fstat(\(path))") { unsafe fstat(opened.raw, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw PlatformError(stage: "open(\(path))", errno: EINVAL) }
        file = opened
        name = path
        size = Int64(status.st_size)
    }

    /// Up to `count` bytes from `offset` on; fewer only at the file's end.
    package func read(at offset: Int64, count: Int) throws(PlatformError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = try systemCall("pread(\(name))") {
                unsafe bytes.withUnsafeMutableBytes { buffer in
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    return unsafe pread(file.raw, rest.baseAddress, rest.count, off_t(offset) + off_t(filled))
                }
            }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }
}
