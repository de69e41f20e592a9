import HTTP
import Link
import Transport

/// The link's sockets over HTTP to one API.
final class HTTPLinkTransport: LinkTransport {
    private let client: HTTPClient
    private let base: ClientURL
    private let credential: WorkerCredentials

    /// Reaches the API at `base` as the worker that owns the credential.
    init(client: HTTPClient, base: ClientURL, credential: WorkerCredentials) {
        self.client = client
        self.base = base
        self.credential = credential
    }

    func open(_ path: String, maximumMessage: Int) async throws(LinkFault) -> any WebSocketChannel {
        var headers = HTTPHeaders()
        guard let url = base.with(target: path),
            headers.append(name: "authorization", value: "Bearer \(credential.secret)")
        else { throw .unreachable("the credential cannot be sent") }
        do throws(HTTPClientError) {
            let (channel, fields) = try await client.webSocket(
                url: url,
                headers: headers,
                subprotocols: [LinkProtocol.subprotocol],
                limits: WebSocketLimits(maximumMessage: maximumMessage)
            )
            guard fields["sec-websocket-protocol"] == LinkProtocol.subprotocol else {
                await channel.close(code: LinkCloseCode.protocolError, reason: "no common protocol")
                throw HTTPClientError.malformedResponse("the API does not speak \(LinkProtocol.subprotocol)")
            }
            return channel
        } catch {
            if case .refusedUpgrade(let status, _, _) = error { throw .refused(status: status) }
            throw .unreachable(error.description)
        }
    }
}
