import Bytes
import Core
import HTTP

extension Endpoints {
    /// The person's passkeys, oldest first: `GET /v1/me/passkeys`; there are never more than a page has room for.
    func listPasskeys(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        _ = try QueryReader(request, allowed: [])
        let page = Page(items: try await services.passkeys.passkeys(of: person.user), hasMore: false)
        return .json(200, encodePage(page, cursor: { $0.id.description }, encode: PasskeyView.write))
    }
}
