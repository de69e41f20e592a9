import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Begins to wait for a person's confirmation elsewhere: `POST /oauth/device_authorization` (RFC 8628, 3.1).
    func authorizeDevice(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.form()
        guard let client = form["client_id"], DeviceClients.admits(client) else { throw OAuthError.invalidClient }
        guard [nil, SignInScopes.all].contains(form["scope"]) else { throw OAuthError.invalidScope }
        let now = services.time.now
        let grant = DeviceGrant(
            clientID: client,
            deviceName: try deviceName(form["device_name"]),
            address: request.remoteAddress,
            userAgent: request.shownUserAgent,
            createdAt: now,
            expiresAt: now.adding(DeviceGrantLimits.lifetime)
        )
        let device = OpaqueToken.make(.deviceCode)
        let code = try await keep(grant, device)
        let page = publicPath("/device")
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.member("device_code", device.token)
                writer.member("user_code", code.shown)
                writer.member("verification_uri", page)
                writer.member("verification_uri_complete", "\(page)?user_code=\(code.shown)")
                writer.member("expires_in", DeviceGrantLimits.lifetime.components.seconds)
                writer.member("interval", DeviceGrantLimits.interval.components.seconds)
                writer.endObject()
            }
        )
    }

    /// An address of this server as it is known outside.
    func publicPath(_ path: String) -> String {
        var base = services.settings.publicURL
        while base.hasSuffix("/") { base.removeLast() }
        return base + path
    }

    /// Stores a machine that asks under a code that no other has now.
    private func keep(_ grant: DeviceGrant, _ device: OpaqueToken) async throws -> UserCode {
        // Of ten thousand that wait, one in two million has the code that was drawn: three draws never fail.
        for _ in 0..<3 {
            let code = UserCode.make()
            do throws(StoreError) {
                let isKept = try await services.deviceGrants.createDeviceGrant(
                    grant,
                    deviceHash: device.hash,
                    userCodeHash: code.hash
                )
                guard isKept else { break }
                return code
            } catch .conflict {
                continue
            }
        }
        throw ProblemError(.overloaded("Too many devices wait to be confirmed at this moment."))
    }

    private func deviceName(_ given: String?) throws -> String {
        let name = PlainName.trimmed(given ?? "")
        guard !name.isEmpty else { return "unnamed" }
        guard name.utf8.count <= 100, PlainName.isVisible(name), !PlainName.holdsControls(name) else {
            throw OAuthError.invalidRequest("device_name must be at most 100 visible bytes.")
        }
        return name
    }
}
