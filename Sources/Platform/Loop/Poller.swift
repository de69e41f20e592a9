import CLinux
import Glibc

/// A loop's epoll instance and the sources registered with it.
///
/// Everything but `wake` belongs to the loop's thread. An event names a registration, not an object: a descriptor
/// number used again never gets the events of its predecessor.
@safe final class Poller {
    private static let capacity = 256
    private static let wakeToken: UInt64 = .max
    private static let interest: UInt32 =
        EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | (1 << 31)  // EPOLLET

    private let epoll: Int32
    private let wakeup: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private var pending = 0
    private var slots: [PollerSlot] = []
    private var registrations: UInt32 = 0

    init() throws(PlatformError) {
        let epoll = OwnedDescriptor(try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        let flags = Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)
        let wakeup = OwnedDescriptor(try systemCall("eventfd") { eventfd(0, flags) })
        try systemCall("epoll_ctl(eventfd)") {
            clinux_epoll_add(epoll.raw, wakeup.raw, EPOLLIN.rawValue, Self.wakeToken)
        }
        self.epoll = epoll.release()
        self.wakeup = wakeup.release()
        unsafe events = .allocate(capacity: Self.capacity)
    }

    deinit {
        unsafe events.deallocate()
    }

    /// Ends the loop's sleep; from any thread.
    func wake() {
        _ = eventfd_write(wakeup, 1)
    }

    /// Waits for events; nil waits for ever.
    func wait(_ timeout: Duration?) {
        let count = unsafe clinux_epoll_wait(epoll, events, Int32(Self.capacity), timeout?.wholeNanoseconds ?? -1)
        pending = max(0, Int(count))
    }

    func dispatch() {
        for index in 0..<pending {
            let token = unsafe clinux_event_token(events + index)
            if token == Self.wakeToken {
                var count: eventfd_t = 0
                _ = unsafe eventfd_read(wakeup, &count)
            } else {
                let flags = unsafe clinux_event_flags(events + index)
                source(for: token)?.handle(flags)
            }
        }
        pending = 0
    }

    /// Registers a source under a new number and returns its token.
    func register(_ source: Source, descriptor: Int32) throws(PlatformError) -> UInt64 {
        registrations &+= 1
        let token = UInt64(registrations) << 32 | UInt64(UInt32(bitPattern: descriptor))
        try systemCall("epoll_ctl(add)") { clinux_epoll_add(epoll, descriptor, Self.interest, token) }
        while slots.count <= Int(descriptor) { slots.append(PollerSlot()) }
        slots[Int(descriptor)] = PollerSlot(registration: registrations, source: source)
        return token
    }

    func unregister(_ token: UInt64) {
        let descriptor = Int(UInt32(truncatingIfNeeded: token))
        guard slots.indices.contains(descriptor), slots[descriptor].registration == UInt32(token >> 32) else { return }
        slots[descriptor] = PollerSlot()
        // Explicit, because a duplicate in another process would keep a closed descriptor registered.
        _ = clinux_epoll_remove(epoll, Int32(descriptor))
    }

    func closeAll() {
        for slot in slots { slot.source?.close() }
    }

    func finish() {
        _ = Glibc.close(epoll)
        _ = Glibc.close(wakeup)
    }

    private func source(for token: UInt64) -> Source? {
        let descriptor = Int(UInt32(truncatingIfNeeded: token))
        guard slots.indices.contains(descriptor), slots[descriptor].registration == UInt32(token >> 32) else {
            return nil
        }
        return slots[descriptor].source
    }
}

/// Who is registered under a descriptor number; a source that was dropped is not kept alive.
private struct PollerSlot {
    var registration: UInt32 = 0
    weak var source: Source?
}

extension Duration {
    /// The nanoseconds, rounded up so that a timer is never early, and clamped.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflows { return seconds < 0 ? .min : .max }
        let (sum, carries) = scaled.addingReportingOverflow((attoseconds + 999_999_999) / 1_000_000_000)
        return carries ? .max : sum
    }
}
