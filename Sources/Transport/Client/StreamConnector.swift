package import Platform

/// Opens client connections: addresses in turn, then TLS if asked for.
package enum StreamConnector {
    /// Connects to the first of `addresses` that answers; with `tls` the server must prove to be `host`.
    package static func connect(
        to addresses: [SocketAddress],
        host: String,
        tls: TLSClientContext?,
        on loop: EventLoop,
        timeout: Duration
    ) async throws(HTTPClientError) -> any ByteStream {
        try await wire(to: addresses, host: host, tls: tls, on: loop, timeout: timeout)
    }

    static func wire(
        to addresses: [SocketAddress],
        host: String,
        tls: TLSClientContext?,
        on loop: EventLoop,
        timeout: Duration
    ) async throws(HTTPClientError) -> any Wire {
        let end = loop.now.advanced(by: timeout)
        var failure = HTTPClientError.unreachable("\(host) has no address")
        for address in addresses {
            guard loop.now < end else { throw .timeout }
            let socket: ByteSocket
            do throws(PlatformError) {
                socket = try await ByteSocket.connect(to: address, on: loop, timeout: end - loop.now)
            } catch {
                failure = .unreachable(error.description)
                continue
            }
            guard let tls else { return PlainStream(socket) }
            return try await secure(socket, host, tls, before: end)
        }
        throw failure
    }

    private static func secure(
        _ socket: ByteSocket,
        _ host: String,
        _ tls: TLSClientContext,
        before end: Instant
    ) async throws(HTTPClientError) -> any Wire {
        do throws(TransportError) {
            let stream = try TLSStream(client: tls, host: host, socket: socket)
            var timedOut = false
            let timer = stream.loop.schedule(after: end - stream.loop.now) {
                timedOut = true
                stream.close()
            }
            defer { timer.cancel() }
            do throws(TransportError) {
                try await stream.open()
            } catch {
                stream.close()
                throw timedOut ? TransportError.stalled : error
            }
            return stream
        } catch {
            throw .connection(error)
        }
    }
}
