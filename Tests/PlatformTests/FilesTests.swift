import Bytes
import Glibc
import Platform
import Testing

@Suite struct FilesTests {
    private let directory: String

    init() throws {
        directory = "/tmp/errand-files-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try Files.createDirectory(directory, mode: 0o700)
    }

    @Test func `what was written is read, with its mode`() throws {
        defer { try? Files.removeTree(directory) }
        let path = "\(directory)/secret"
        try Files.writeAtomically(path, [1, 2, 3], mode: 0o600)
        try Files.writeAtomically(path, [4, 5], mode: 0o640)
        #expect(try Files.readAll(path, limit: 2) == [4, 5])
        #expect(try Files.status(path)?.mode == 0o640)
        #expect(try Files.list(directory) == ["secret"])
        #expect(throws: PlatformError(stage: "read(\(path))", errno: EFBIG)) { try Files.readAll(path, limit: 1) }
        #expect(throws: PlatformError(stage: "open(\(path)x)", errno: ENOENT)) {
            try Files.readAll(path + "x", limit: 1)
        }
    }

    @Test func `a tree goes with all it holds and nothing that its links lead to`() throws {
        defer { try? Files.removeTree(directory) }
        try Files.createDirectory("\(directory)/kept/inner", mode: 0o755)
        try Files.writeAtomically("\(directory)/kept/inner/file", [1])
        try Files.createDirectory("\(directory)/tree/a/b", mode: 0o755)
        try Files.writeAtomically("\(directory)/tree/a/b/file", [1])
        for name in ["tree/link", "tree/a/link", "top"] {
            #expect(unsafe symlink("\(directory)/kept", "\(directory)/\(name)") == 0)
        }
        for name in ["tree", "top", "missing", "missing/too"] { try Files.removeTree("\(directory)/\(name)") }
        #expect(try Files.list(directory) == ["kept"])
        #expect(try Files.readAll("\(directory)/kept/inner/file", limit: 1) == [1])
    }

    @Test func `a failed replacement leaves the old file and no litter`() throws {
        defer { try? Files.removeTree(directory) }
        try Files.createDirectory("\(directory)/taken/inner", mode: 0o755)
        #expect(throws: PlatformError.self) { try Files.writeAtomically("\(directory)/taken", [1]) }
        #expect(try Files.list(directory) == ["taken"])
    }

    @Test func `a lock is held once and free again after its owner`() throws {
        defer { try? Files.removeTree(directory) }
        let path = "\(directory)/lock"
        do {
            let first = try Files.lock(path)
            let isHeld = first != nil
            #expect(isHeld)
            let isFree = try Files.lock(path) != nil
            #expect(!isFree)
        }
        let isFree = try Files.lock(path) != nil
        #expect(isFree)
    }

    @Test func `a tree is removed without following links`() throws {
        let outside = "\(directory)-outside"
        defer {
            try? Files.removeTree(directory)
            try? Files.removeTree(outside)
        }
        try Files.createDirectory("\(outside)/kept")
        try Files.createDirectory("\(directory)/a/b/c")
        let linked = unsafe symlink(outside, "\(directory)/a/link")
        #expect(linked == 0)
        try Files.removeTree("\(directory)/a")
        #expect(try Files.status("\(directory)/a") == nil)
        #expect(Files.exists("\(outside)/kept"))
        try Files.remove("\(directory)/missing")
    }

    @Test func `the machine tells its name, free space and time`() throws {
        defer { try? Files.removeTree(directory) }
        #expect(try !Files.hostName().isEmpty)
        #expect(try Files.freeBytes(directory) > 0)
        #expect(WallClock.now() > Timestamp(milliseconds: 1_700_000_000_000))
    }
}
