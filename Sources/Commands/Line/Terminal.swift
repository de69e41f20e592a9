import Glibc

/// Where a verb writes: results to standard output, everything else to standard error.
package struct Terminal: Sendable {
    /// True when standard error is a terminal, so that progress may be redrawn.
    package let isInteractive: Bool

    /// The terminal of this process.
    package init() {
        isInteractive = isatty(2) == 1
    }

    /// Writes a line of result.
    package func print(_ line: String) {
        write(line + "\n", to: 1)
    }

    /// Writes bytes of result as they are.
    package func put(_ bytes: [UInt8]) {
        write(bytes, to: 1)
    }

    /// Writes a line for the person, not for the pipe.
    package func note(_ line: String) {
        write(line + "\n", to: 2)
    }

    /// Writes bytes for the person as they are.
    package func putNote(_ bytes: [UInt8]) {
        write(bytes, to: 2)
    }

    /// Writes bytes of a result that is worth nothing unless it is whole.
    package func deliver(_ bytes: [UInt8]) throws(CommandFailure) {
        guard write(bytes, to: 1) else {
            throw CommandFailure("the output could not be written whole: is the disk full, or the reader gone?")
        }
    }

    private func write(_ text: String, to descriptor: Int32) {
        write(Array(text.utf8), to: descriptor)
    }

    /// False when the descriptor takes no more.
    @discardableResult
    private func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN {
                    var event = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = unsafe poll(&event, 1, -1)
                    continue
                }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
