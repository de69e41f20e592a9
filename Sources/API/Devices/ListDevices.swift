import Bytes
import Core
import HTTP

extension Endpoints {
    /// The person's devices that are signed in, newest first: `GET /v1/me/devices`.
    func listDevices(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["limit", "cursor"])
        let page = try await services.accounts.signIns(
            of: person.user,
            before: try query.id("cursor", SignInNoun.self),
            limit: try query.limit(),
            now: services.time.now
        )
        return .json(
            200,
            encodePage(
                page,
                cursor: { $0.id.description },
                encode: { DeviceView.write($0, current: person.signIn, to: &$1) }
            )
        )
    }
}

/// The JSON form of a signed-in device.
enum DeviceView {
    static func write(_ signIn: SignIn, current: SignInID, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", signIn.id.description)
        writer.member("name", signIn.deviceName)
        writer.member("client_id", signIn.clientID)
        writer.key("scopes")
        if let scopes = signIn.scopes {
            writer.value(.array(scopes.map(\.rawValue).sorted().map { .string($0) }))
        } else {
            writer.null()
        }
        writer.member("address", signIn.address)
        writer.member("user_agent", signIn.userAgent)
        writer.member("created_at", signIn.createdAt)
        writer.member("last_used_at", signIn.lastUsedAt)
        writer.member("expires_at", signIn.expiresAt)
        writer.member("current", signIn.id == current)
        writer.endObject()
    }
}
