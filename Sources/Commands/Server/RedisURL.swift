import Platform
import Queue

extension QueueConfiguration {
    /// Reads `redis://[[USER]:PASSWORD@]ADDRESS:PORT`; the address is numeric, for Redis lives on a trusted network.
    init?(url: String) {
        guard url.hasPrefix("redis://") else { return nil }
        var rest = url.dropFirst("redis://".count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var credentials: RedisCredentials?
        if let at = rest.lastIndex(of: "@") {
            let halves = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { return nil }
            credentials = RedisCredentials(
                user: halves[0].isEmpty ? nil : String(halves[0]),
                password: String(halves[1])
            )
            rest = rest[rest.index(after: at)...]
        }
        guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]),
            let address = SocketAddress(host: String(rest[..<colon]), port: port)
        else { return nil }
        self.init(address: address, credentials: credentials)
    }
}
