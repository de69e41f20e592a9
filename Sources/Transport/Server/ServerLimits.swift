package import HTTP

/// What clients may use of a server; each limit bounds something that a hostile client could exhaust.
package struct ServerLimits: Sendable {
    /// The size of request heads: one input buffer of 16 KiB, 64 fields.
    package var head = HeadLimits()
    /// The time for the TLS handshake and for a head, from its first byte: a slow phone needs 2 s, slowloris more.
    package var headTimeout = Duration.seconds(10)
    /// How long an idle connection is kept: longer than the 60 s after which common proxies and browsers let go.
    package var idleTimeout = Duration.seconds(75)
    /// How long an idle connection keeps its task and that task's memory: a client in a hurry has asked again by then.
    package var parkingDelay = Duration.seconds(1)
    /// The longest pause inside a request body.
    package var bodyIdleTimeout = Duration.seconds(30)
    /// The time that a request body may take on top of what `bodyRate` earns: a phone that wakes its radio needs 5 s.
    package var bodyGrace = Duration.seconds(10)
    /// Bytes a second below which a body uses up its time: the slowest mobile network carries ten times as many.
    package var bodyRate = 1 << 10
    /// How much of an unread body is read and thrown away to keep the connection: cheaper than a new handshake.
    package var drainedBody = 256 << 10
    /// How long a connection lingers without a byte after its last response, so that the client reads it before a reset.
    package var lingerTimeout = Duration.seconds(2)
    /// How long it lingers for a client that still sends: it reads our refusal only when it has sent everything.
    package var lingerTime = Duration.seconds(30)
    /// What is read and dropped meanwhile: more than any body that we take but a workspace; 60 ms of a core.
    package var lingeredBody = 64 << 20
    /// Connections over all loops: at 24 KB each this many take a quarter of a GB.
    package var maximumConnections = 10_000
    /// Connections of one client address (one /64 for IPv6): an office behind one address, not a flood.
    package var perAddress = 512

    /// The default limits.
    package init() {}
}
