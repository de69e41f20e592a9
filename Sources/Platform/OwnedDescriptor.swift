import Glibc

/// A file descriptor with one owner, closed when the owner goes.
package struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number, valid while this value lives.
    package let raw: Int32

    /// Takes over an open descriptor.
    package init(_ raw: Int32) {
        precondition(raw >= 0, "an owned descriptor is open")
        self.raw = raw
    }

    /// Gives the number up to the caller, who closes it.
    package consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    deinit {
        _ = Glibc.close(raw)
    }
}
