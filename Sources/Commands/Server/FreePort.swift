import Glibc
import Operations
import Platform

/// Turns port 0 into a port that is free now, so that a service keeps it over restarts.
enum FreePort {
    /// The address with its port settled.
    static func settle(_ address: ListenAddress) throws -> ListenAddress {
        guard address.port == 0 else { return address }
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard raw >= 0 else { throw PlatformError(stage: "socket", errno: errno) }
        let probe = OwnedDescriptor(raw)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(probe.raw, generic, length) == 0 && getsockname(probe.raw, generic, &length) == 0
            }
        }
        guard result else { throw PlatformError(stage: "bind", errno: errno) }
        return ListenAddress(host: address.host, port: UInt16(bigEndian: name.sin_port))
    }
}
