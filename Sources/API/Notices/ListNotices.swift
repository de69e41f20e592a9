import Bytes
import Core
import HTTP

extension Endpoints {
    /// What a person should know about their account, newest first: `GET /v1/me/notices`.
    func listNotices(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        _ = try QueryReader(request, allowed: [])
        let notices = try await services.accounts.notices(of: person.user, limit: NoticeLimits.listed)
        return .json(
            200,
            encodePage(
                Page(items: notices, hasMore: false),
                cursor: { $0.createdAt.rfc3339 },
                encode: { notice, writer in
                    writer.beginObject()
                    writer.member("kind", notice.kind.rawValue)
                    writer.member("created_at", notice.createdAt)
                    writer.member("device_id", notice.signIn?.description)
                    writer.member("device_name", notice.deviceName)
                    writer.member("address", notice.address)
                    writer.member("user_agent", notice.userAgent)
                    writer.endObject()
                }
            )
        )
    }
}

/// The bounds of notices.
enum NoticeLimits {
    /// What is older than the last hundred is in the audit log.
    static let listed = 100
}
