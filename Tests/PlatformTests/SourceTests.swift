import Glibc
import Platform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SourceTests {
    @Test func `closing a source resumes both waiters`() async throws {
        try await onLoop { loop in
            let (near, far) = try makeSocketPair()
            defer { close(far) }
            try fill(near)
            let source = try Source(loop: loop, descriptor: OwnedDescriptor(near))
            let resumed = LoopCondition()
            let log = Log()
            for isReader in [true, false] {
                loop.spawnLocal {
                    if isReader { await source.readable() } else { await source.writable() }
                    log.entries.append(isReader)
                    resumed.signalAll()
                }
            }
            #expect(await resumed.wait(timeout: .milliseconds(5), on: loop) == false)
            source.close()
            while log.entries.count < 2 { await resumed.wait() }
            await source.readable()
            await source.writable()
            // The far end finds nobody, as soon as no child that another test is starting holds a copy.
            while unsafe send(far, "x", 1, Int32(MSG_NOSIGNAL)) == 1 { await loop.sleep(.milliseconds(1)) }
        }
    }

    @Test func `an edge that comes while nobody waits is kept`() async throws {
        try await onLoop { loop in
            let pipe = try makePipe()
            defer { close(pipe.write) }
            let source = try Source(loop: loop, descriptor: OwnedDescriptor(pipe.read))
            try put(pipe.write)
            await loop.sleep(.milliseconds(2))
            await source.readable()
            source.close()
        }
    }

    // In a process of its own, because another test would take the number.
    @Test func `a descriptor number used again gets no event of its predecessor`() async {
        await #expect(processExitsWith: .success) { try await reuseNumber() }
    }

    @Test func `a dropped source closes its descriptor`() async throws {
        try await onLoop { loop in
            let pipe = try makePipe()
            defer { close(pipe.write) }
            do { _ = try Source(loop: loop, descriptor: OwnedDescriptor(pipe.read)) }
            while unsafe write(pipe.write, "x", 1) == 1 { await loop.sleep(.milliseconds(1)) }
        }
    }

    @Test func `a borrowed descriptor stays open`() async throws {
        try await onLoop { loop in
            let pipe = try makePipe()
            let source = try Source(loop: loop, borrowing: pipe.read)
            source.close()
            #expect(fcntl(pipe.read, F_GETFD) >= 0)
            close(pipe.read)
            close(pipe.write)
        }
    }

    @Test func `a regular file cannot be watched and is closed by its owner`() async throws {
        try await onLoop { loop in
            let raw = unsafe open("/proc/self/status", O_RDONLY | O_CLOEXEC)
            #expect(throws: PlatformError(stage: "epoll_ctl(add)", errno: EPERM)) {
                _ = try Source(loop: loop, descriptor: OwnedDescriptor(raw))
            }
        }
    }

    @Test func `a tick hook that says false is not called again`() async throws {
        try await onLoop { loop in
            let (log, other) = (Log(), Log())
            loop.onTick {
                log.entries.append(true)
                return log.entries.count < 2
            }
            loop.onTick {
                other.entries.append(true)
                return true
            }
            for _ in 0..<4 { await loop.sleep(.zero) }
            #expect(log.entries.count == 2)
            #expect(other.entries.count >= 4)
        }
    }

    @Test func `a tick hook runs in every turn`() async throws {
        try await onLoop { loop in
            let log = Log()
            loop.onTick {
                log.entries.append(true)
                return true
            }
            for _ in 0..<3 { await loop.sleep(.microseconds(100)) }
            #expect(log.entries.count >= 3)
        }
    }
}

private final class Log {
    var entries: [Bool] = []
}

private func reuseNumber() async throws {
    try await onLoop { loop in
        let first = try makePipe()
        let second = try makePipe()
        let old = try Source(loop: loop, descriptor: OwnedDescriptor(first.read))
        let closer = try Source(loop: loop, descriptor: OwnedDescriptor(second.read))
        let events = Log()
        var replacement: Source?
        // The first event of the batch closes the other source and reuses its number before that one's event comes.
        closer.onEvents = { _ in
            guard replacement == nil else { return }
            let number = old.descriptor
            old.close()
            guard let fresh = try? makePipe(), fresh.read == number else { return }
            replacement = try? Source(loop: loop, descriptor: OwnedDescriptor(fresh.read))
            replacement?.onEvents = { _ in events.entries.append(true) }
            loop.spawnLocal {
                await loop.sleep(.milliseconds(5))
                close(fresh.write)
            }
        }
        try put(second.write)
        try put(first.write)
        await loop.sleep(.milliseconds(3))
        guard replacement != nil, events.entries.isEmpty else { exit(1) }
        // The positive control: its own event does arrive.
        await replacement?.readable()
        guard events.entries == [true] else { exit(2) }
    }
}

private func put(_ raw: Int32) throws {
    guard unsafe write(raw, "x", 1) == 1 else { throw PlatformError(stage: "write", errno: errno) }
}

/// Fills the socket's buffer, so that it is not writable.
private func fill(_ raw: Int32) throws {
    guard fcntl(raw, F_SETFL, O_NONBLOCK) == 0 else { throw PlatformError(stage: "fcntl", errno: errno) }
    let bytes = [UInt8](repeating: 0, count: 65536)
    while unsafe write(raw, bytes, bytes.count) > 0 {}
}
