import Bytes
import Core
import HTTP

/// The JSON form of an API key.
enum KeyView {
    static func write(_ key: APIKey, now: Timestamp, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", key.id.description)
        writer.member("team_id", key.team.description)
        writer.member("name", key.name)
        writer.member("hint", key.hint)
        writer.member("acts_for", key.account.description)
        writer.member("issued_by", key.issuedBy.description)
        writer.key("scopes")
        writer.beginArray()
        for scope in key.scopes.map(\.rawValue).sorted() { writer.string(scope) }
        writer.endArray()
        writer.key("project_ids")
        if let projects = key.projects {
            writer.beginArray()
            for project in projects { writer.string(project.description) }
            writer.endArray()
        } else {
            writer.null()
        }
        writer.member("created_at", key.createdAt)
        writer.member("expires_at", key.expiresAt)
        writer.member("has_expired", key.hasExpired(at: now))
        writer.member("revoked_at", key.revokedAt)
        writer.member("last_used_at", key.lastUsedAt)
        writer.member("replaced_by", key.replacedBy?.description)
        writer.endObject()
    }

    /// The one answer that shows a secret.
    static func answer(_ key: APIKey, secret: String) -> HTTPResponse {
        .json(
            201,
            document { writer in
                writer.beginObject()
                writer.key("key")
                write(key, now: key.createdAt, to: &writer)
                writer.member("secret", secret)
                writer.endObject()
            }
        )
    }
}
