import Bytes
import Core

/// The JSON form of a registered client; the secret is in the answers that make one alone.
enum ClientView {
    static func write(_ client: OAuthClient, secret: String? = nil, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", client.id.description)
        writer.member("team_id", client.team.description)
        writer.member("name", client.name)
        writer.key("redirect_uris")
        writer.beginArray()
        for uri in client.redirectURIs { writer.string(uri) }
        writer.endArray()
        writer.key("scopes")
        writer.beginArray()
        for scope in client.scopes.map(\.rawValue).sorted() { writer.string(scope) }
        writer.endArray()
        writer.member("confidential", client.isConfidential)
        writer.member("created_by", client.createdBy.description)
        writer.member("created_at", client.createdAt)
        if let secret { writer.member("secret", secret) }
        writer.endObject()
    }
}
