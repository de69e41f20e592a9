import Bytes
import Core
import Crypto
import Glibc
import Platform

@testable import Worker

/// Runs a test's body on a loop of its own.
func onLoop(_ body: @escaping @Sendable (EventLoop) async throws -> Void) async throws {
    let loop = try EventLoop.start(name: "worker-test")
    defer { loop.stop() }
    try await loop.run { try await body(loop) }
}

/// Gives a test an empty directory that is gone afterwards.
func withDirectory(_ body: (String) async throws -> Void) async throws {
    let path = "/tmp/errand-worker-\(getpid())-\(Hex.encode(SecureRandom.bytes(8)))"
    try Files.createDirectory(path, mode: 0o700)
    do {
        try await body(path)
    } catch {
        try clear(path)
        throw error
    }
    try clear(path)
}

/// Removes a directory in which a spool's writer may still be making or removing a file that no test waits for.
private func clear(_ path: String) throws {
    for _ in 0..<100 {
        do throws(PlatformError) {
            return try Files.removeTree(path)
        } catch {
            guard error.errno == ENOTEMPTY || error.errno == ENOENT else { throw error }
        }
    }
    try Files.removeTree(path)
}

/// Runs a test's body on a loop with an empty directory.
func onLoopWithDirectory(_ body: @escaping @Sendable (EventLoop, String) async throws -> Void) async throws {
    try await withDirectory { path in try await onLoop { loop in try await body(loop, path) } }
}

/// Waits until something holds, giving up after ten seconds.
func eventually(on loop: EventLoop, _ holds: () -> Bool) async -> Bool {
    let deadline = loop.now.advanced(by: .seconds(10))
    while !holds() {
        guard loop.now < deadline else { return false }
        await loop.sleep(.milliseconds(2))
    }
    return true
}

/// Identifiers that tests use.
enum Names {
    static let job = JobID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)
    static let attempt = AttemptID(job: job, attempt: 1)
    static let project = ProjectID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0003)
    static let worker = WorkerID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0004)

    /// The first attempt of another job.
    static func attempt(_ number: UInt64) -> AttemptID {
        AttemptID(job: JobID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0001_0000 + number), attempt: 1)
    }
}
