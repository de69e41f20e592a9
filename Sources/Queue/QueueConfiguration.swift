package import Platform

/// A name and password for Redis; never printed.
package struct RedisCredentials: Sendable {
    private let user: String?
    private let password: String

    /// A password, for the default user unless one is named.
    package init(user: String?, password: String) {
        self.user = user
        self.password = password
    }

    var command: RedisCommand {
        var command = RedisCommand("AUTH")
        if let user { command.add(user) }
        command.add(password)
        return command
    }
}

/// Where Redis is.
package struct QueueConfiguration: Sendable {
    package var address: SocketAddress
    package var credentials: RedisCredentials?

    /// Names an address and, when Redis asks for it, who we are.
    package init(address: SocketAddress, credentials: RedisCredentials? = nil) {
        self.address = address
        self.credentials = credentials
    }

    /// A Redis on this machine that listens on a socket file.
    package init(socketPath: String) {
        self.init(address: .unix(path: socketPath))
    }
}
