import CLinux
import Glibc
import SandboxSpec

/// A descriptor with exactly one owner, closed when the owner goes.
struct Descriptor: ~Copyable {
    let raw: Int32

    init(_ raw: Int32) {
        self.raw = raw
    }

    deinit {
        close(raw)
    }
}

/// Closes a descriptor before its scope ends.
func closeNow(_ descriptor: consuming Descriptor) {}

/// The outcome of a libc call in the form of the shim's: the value, or the negated errno.
func answer(_ result: Int32) -> Int32 {
    result < 0 ? -errno : result
}

func writeError(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(2, bytes, bytes.count)
}

/// The names in a directory, or nil when it cannot be read.
func listDirectory(_ path: String) -> [String]? {
    let raw = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard raw >= 0 else { return nil }
    let directory = Descriptor(raw)
    return try? listDirectory(directory.raw).names
}

/// A batch of names of an open directory as raw bytes, since a workload's names need not be text.
struct NameBatch {
    var rawNames: [[CChar]] = []
    var ended = false

    var names: [String] {
        rawNames.map { name in String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }
    }
}

struct SystemError: Error {
    let errno: Int32
}

/// Reads on in a directory: the next batch of names.
func nextNames(_ directory: Int32) throws(SystemError) -> NameBatch {
    var buffer = [CChar](repeating: 0, count: 16_384)
    var ended: Int32 = 0
    let used = unsafe errand_read_names(directory, &buffer, buffer.count, &ended)
    guard used >= 0 else { throw SystemError(errno: Int32(-used)) }
    var batch = NameBatch(rawNames: [], ended: ended != 0)
    for name in buffer[..<used].split(separator: 0) {
        batch.rawNames.append(Array(name) + [0])
    }
    return batch
}

/// All names of an open directory, from its beginning.
func listDirectory(_ directory: Int32) throws(SystemError) -> NameBatch {
    guard lseek(directory, 0, SEEK_SET) >= 0 else { throw SystemError(errno: errno) }
    var all = NameBatch()
    while true {
        let batch = try nextNames(directory)
        if batch.ended { return all }
        all.rawNames += batch.rawNames
    }
}

/// The whole of a file below a directory, or nil when it is absent or larger than the limit.
func readFile(_ directory: Int32, _ path: String, limit: Int) -> [UInt8]? {
    let raw = unsafe openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard raw >= 0 else { return nil }
    let file = Descriptor(raw)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while bytes.count <= limit {
        let got = unsafe read(file.raw, &chunk, chunk.count)
        if got < 0 { return nil }
        if got == 0 { return bytes }
        bytes += chunk[..<got]
    }
    return nil
}

/// Writes a small file that the kernel takes in one call.
func writeWhole(_ path: String, _ text: String) -> Int32 {
    let raw = unsafe open(path, O_WRONLY | O_CLOEXEC)
    guard raw >= 0 else { return -errno }
    let file = Descriptor(raw)
    let bytes = Array(text.utf8)
    let written = unsafe write(file.raw, bytes, bytes.count)
    if written < 0 { return -errno }
    return written == bytes.count ? 0 : -EIO
}

/// Calls the body with a null-terminated array of C strings.
func withCStrings<R>(_ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
    var storage: [CChar] = []
    var offsets: [Int] = []
    for text in texts {
        offsets.append(storage.count)
        storage.append(contentsOf: text.utf8.lazy.map(CChar.init(bitPattern:)))
        storage.append(0)
    }
    storage.append(0)
    return unsafe storage.withUnsafeMutableBufferPointer { characters in
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe offsets.map { offset in
            unsafe characters.baseAddress.map { base in unsafe base + offset }
        }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeMutableBufferPointer { list in
            guard let first = list.baseAddress else { fatalError("an array with an element has a base address") }
            return unsafe body(first)
        }
    }
}
