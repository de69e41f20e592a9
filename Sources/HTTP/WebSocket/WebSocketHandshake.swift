import Bytes

/// The opening handshake: what a server checks, and what both sides compute.
package enum WebSocketHandshake {
    /// Checks that `request` opens a WebSocket and returns its key; a request that does not is told to upgrade.
    package static func key(of request: HTTPRequest) throws(ProblemError) -> String {
        let headers = request.headers
        guard request.method == .get, names(headers, "connection", "upgrade"), names(headers, "upgrade", "websocket"),
            headers["sec-websocket-version"] == "13"
        else { throw ProblemError(.upgradeRequired) }
        guard request.allowsUpgrade else {
            throw ProblemError(
                Problem(status: 400, code: "malformed_handshake", title: "An upgrade is HTTP/1.1 without a body")
            )
        }
        let keys = headers.values(of: "sec-websocket-key")
        guard keys.count == 1, let key = keys.first, Base64.decode(key)?.count == 16 else {
            throw ProblemError(
                Problem(status: 400, code: "malformed_handshake", title: "The WebSocket key is missing or malformed")
            )
        }
        return key
    }

    /// What is hashed with SHA-1 and encoded in base64 to answer a key.
    package static func acceptInput(key: String) -> [UInt8] {
        Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
    }

    /// Why a server's answer does not open the WebSocket, or nil when it does.
    package static func fault(
        in head: ResponseHead,
        expectedAccept: String,
        offeredSubprotocols: [String]
    ) -> String? {
        guard head.status == 101 else { return "the server answered \(head.status)" }
        guard head.isUpgrade, names(head.headers, "upgrade", "websocket") else {
            return "the server did not switch to WebSocket"
        }
        guard head.headers["sec-websocket-accept"] == expectedAccept else { return "the server's key is wrong" }
        guard !head.headers.contains("sec-websocket-extensions") else { return "the server chose an extension" }
        if let chosen = head.headers["sec-websocket-protocol"], !offeredSubprotocols.contains(chosen) {
            return "the server chose a sub-protocol that was not offered"
        }
        return nil
    }

    private static func names(_ headers: HTTPHeaders, _ field: String, _ element: String) -> Bool {
        headers.list(of: field).contains { $0.lowercased() == element }
    }
}
