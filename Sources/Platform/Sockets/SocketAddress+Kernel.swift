import Glibc

extension SocketAddress {
    /// The longest path that fits into a kernel address with its terminating zero.
    package static let longestPath = 107

    var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Hands the kernel's form of the address to a call.
    func withKernelForm<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) throws(PlatformError) -> Value {
        switch self {
        case .ipv4(let bytes, let port):
            precondition(bytes.count == 4, "an IPv4 address has 4 bytes")
            var form = sockaddr_in()
            form.sin_family = sa_family_t(AF_INET)
            form.sin_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &form.sin_addr) { unsafe $0.copyBytes(from: bytes) }
            return unsafe Self.rebind(&form, socklen_t(MemoryLayout<sockaddr_in>.size), body)
        case .ipv6(let bytes, let port):
            precondition(bytes.count == 16, "an IPv6 address has 16 bytes")
            var form = sockaddr_in6()
            form.sin6_family = sa_family_t(AF_INET6)
            form.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &form.sin6_addr) { unsafe $0.copyBytes(from: bytes) }
            return unsafe Self.rebind(&form, socklen_t(MemoryLayout<sockaddr_in6>.size), body)
        case .unix(let path):
            let bytes = Array(path.utf8)
            guard bytes.count <= Self.longestPath, !bytes.contains(0) else {
                throw PlatformError(stage: "address(unix:\(path))", errno: ENAMETOOLONG)
            }
            var form = sockaddr_un()
            form.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &form.sun_path) { unsafe $0.copyBytes(from: bytes) }
            return unsafe Self.rebind(&form, socklen_t(MemoryLayout<sockaddr_un>.size), body)
        }
    }

    /// Asks the kernel for an address by `getsockname`, `getpeername` or `accept4`; an IPv4-mapped one becomes IPv4.
    static func fill(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> (result: Int32, address: SocketAddress?) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call($0, &length) }
        }
        guard result >= 0 else { return (result, nil) }
        let bytes = unsafe withUnsafeBytes(of: &storage) { unsafe Array($0.prefix(Int(length))) }
        return (result, SocketAddress(kernelForm: bytes, family: Int32(storage.ss_family)))
    }

    init?(kernelForm bytes: [UInt8], family: Int32) {
        switch family {
        case AF_INET where bytes.count >= 8:
            self = .ipv4(Array(bytes[4..<8]), port: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        case AF_INET6 where bytes.count >= 24:
            let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
            let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
            let address = Array(bytes[8..<24])
            self = address.starts(with: mapped) ? .ipv4(Array(address[12...]), port: port) : .ipv6(address, port: port)
        case AF_UNIX:
            self = .unix(path: String(decoding: bytes.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self))
        default:
            return nil
        }
    }

    private static func rebind<Form, Value>(
        _ form: inout Form,
        _ length: socklen_t,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        unsafe withUnsafePointer(to: &form) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }
}
