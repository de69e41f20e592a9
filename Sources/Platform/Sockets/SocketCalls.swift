import Glibc

/// The socket calls that more than one socket type makes.
enum SocketCalls {
    static func open(_ address: SocketAddress) throws(PlatformError) -> OwnedDescriptor {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return OwnedDescriptor(try systemCall("socket") { socket(address.family, kind, 0) })
    }

    static func set(_ raw: Int32, _ level: Int32, _ option: Int32, _ value: Int32) throws(PlatformError) {
        try systemCall("setsockopt(\(level), \(option))") {
            unsafe withUnsafeBytes(of: value) { bytes in
                unsafe setsockopt(raw, level, option, bytes.baseAddress, socklen_t(bytes.count))
            }
        }
    }

    /// Small writes go out at once: every protocol here batches for itself.
    static func setNoDelay(_ raw: Int32, _ address: SocketAddress?) {
        switch address {
        case .ipv4, .ipv6: try? set(raw, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        case .unix, nil: break
        }
    }

    static func setNonBlocking(_ raw: Int32) throws(PlatformError) {
        let flags = try systemCall("fcntl(F_GETFL)") { fcntl(raw, F_GETFL) }
        guard flags & O_NONBLOCK == 0 else { return }
        try systemCall("fcntl(F_SETFL)") { fcntl(raw, F_SETFL, flags | O_NONBLOCK) }
    }

    static func isSocket(_ raw: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(raw, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// The error that a connect or an asynchronous failure left on the socket, zero for none.
    static func takeError(_ raw: Int32) -> Int32 {
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(raw, SOL_SOCKET, SO_ERROR, &number, &length) == 0 ? number : errno
    }

    static func peer(_ raw: Int32) -> SocketAddress? {
        unsafe SocketAddress.fill { unsafe getpeername(raw, $0, $1) }.address
    }

    static func name(_ raw: Int32) throws(PlatformError) -> SocketAddress {
        let (result, address) = unsafe SocketAddress.fill { unsafe getsockname(raw, $0, $1) }
        guard result >= 0 else { throw PlatformError(stage: "getsockname", errno: errno) }
        guard let address else { throw PlatformError(stage: "getsockname", errno: EAFNOSUPPORT) }
        return address
    }
}
