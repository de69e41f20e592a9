package import Platform

/// Counts connections over all loops, in total and by client address.
package final class ConnectionCounter: Sendable {
    private struct Counts {
        var total = 0
        var byAddress: [[UInt8]: Int] = [:]
    }

    private let counts = Lock(Counts())
    private let maximum: Int
    private let perAddress: Int

    /// Makes a counter with the bounds of `limits`.
    package init(limits: ServerLimits) {
        maximum = limits.maximumConnections
        perAddress = limits.perAddress
    }

    /// The number of connections now.
    package var total: Int { counts.withLock { $0.total } }

    /// Counts a connection and returns true, or returns false when a bound is reached.
    ///
    /// `isTrustedProxy` frees an address from the bound of its own, for it stands for many clients.
    package func admit(_ address: SocketAddress?, isTrustedProxy: Bool) -> Bool {
        let key = Self.key(address)
        return counts.withLock { counts in
            guard counts.total < maximum else { return false }
            let present = counts.byAddress[key, default: 0]
            guard present < perAddress || isTrustedProxy || key.isEmpty else { return false }
            counts.total += 1
            counts.byAddress[key] = present + 1
            return true
        }
    }

    /// Gives a counted connection back.
    package func release(_ address: SocketAddress?) {
        let key = Self.key(address)
        counts.withLock { counts in
            counts.total -= 1
            let present = counts.byAddress[key, default: 0]
            counts.byAddress[key] = present > 1 ? present - 1 : nil
        }
    }

    // One client owns a whole /64 of IPv6; Unix sockets are local and have no bound of their own.
    private static func key(_ address: SocketAddress?) -> [UInt8] {
        switch address {
        case .ipv4(let bytes, _): bytes
        case .ipv6(let bytes, _): Array(bytes.prefix(8))
        case .unix, nil: []
        }
    }
}
