/// The sender's end of a window: bytes it may still send before it must wait.
///
/// The cost of a message is the length of its encoded frame. A frame may be sent when any credit is left, so one frame
/// may overdraw the window; without that a frame larger than what is left would wait for nothing.
package struct CreditWindow: Sendable {
    /// Credit left; below zero after an overdraft.
    package private(set) var available = 0

    /// A closed window: it opens with the first grant.
    package init() {}

    /// True when a frame may be sent now.
    package var isOpen: Bool { available > 0 }

    /// Counts a frame that was sent.
    package mutating func spend(_ bytes: Int) { available -= bytes }

    /// Takes a grant of the receiver; false when the receiver granted absurdly much.
    package mutating func grant(_ bytes: UInt32) -> Bool {
        // A window of a gibibyte bounds nothing: the peer is broken.
        guard available + Int(bytes) <= 1 << 30 else { return false }
        available += Int(bytes)
        return true
    }
}

/// The receiver's end of a window: how much was received, and when to grant more.
package struct CreditGranter: Sendable {
    /// The window's size in bytes.
    package let window: Int
    /// Credit the sender still holds, as this end knows it.
    package private(set) var outstanding = 0
    private var consumed: Int

    /// A granter whose first grant opens the whole window.
    package init(window: Int) {
        self.window = window
        consumed = window
    }

    /// Counts a frame that came in; false when the sender had no credit at all for it.
    package mutating func received(_ bytes: Int) -> Bool {
        guard outstanding > 0 else { return false }
        outstanding -= bytes
        return true
    }

    /// Counts bytes that have been dealt with and need no memory any more.
    package mutating func consume(_ bytes: Int) { consumed += bytes }

    /// The grant to send now: nothing until a quarter of the window is free, so that grants stay few.
    package mutating func grant() -> UInt32? {
        guard consumed >= max(1, window / 4) else { return nil }
        let bytes = UInt32(clamping: consumed)
        outstanding += consumed
        consumed = 0
        return bytes
    }
}

/// The API's end of a worker's standing request: how many jobs may be given now.
package struct ClaimWindow: Sendable {
    /// Assignments sent on this socket so far.
    package private(set) var sent: UInt64 = 0
    private var free = 0
    private var received: UInt64 = 0

    /// A window of a worker that has not asked for anything yet.
    package init() {}

    /// Takes a `claim` message; false when it claims to have received more than was sent.
    package mutating func claim(free: Int, received: UInt64) -> Bool {
        guard received <= sent else { return false }
        self.free = free
        self.received = received
        return true
    }

    /// Counts assignments that were sent.
    package mutating func assigned(_ count: Int) { sent += UInt64(count) }

    /// How many jobs may be assigned now: the request less what is still on its way.
    package var available: Int { max(0, free - Int(clamping: sent - received)) }
}
