import Bytes
import Core
import HTTP
import Store
import Testing

@testable import API

/// A browser without scripts: it keeps cookies and fills in forms, and says of itself what browsers say.
final class PageBrowser {
    let world: APIWorld
    private(set) var cookies: [String: String] = [:]
    /// The last page.
    private(set) var page = ""
    /// Where the last answer led.
    private(set) var location: String?
    let address: String
    static let userAgent =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0 Safari/537.36"

    init(_ world: APIWorld, address: String = "192.0.2.7") {
        self.world = world
        self.address = address
    }

    /// Opens a page.
    @discardableResult
    func get(_ target: String) async throws -> APIAnswer { try await send(.get, target, nil, []) }

    /// Sends a form with the token of the page that is shown, or another.
    @discardableResult
    func post(
        _ target: String,
        _ fields: KeyValuePairs<String, String> = [:],
        token: String? = nil,
        headers: [(String, String)] = [("origin", APIWorld.publicURL)]
    ) async throws -> APIAnswer {
        var pairs = fields.map { ($0.key, $0.value) }
        if let token = token ?? formToken { pairs.append(("form", token)) }
        return try await send(.post, target, Self.encode(pairs), headers)
    }

    /// Sends a body as it is.
    func send(
        _ method: HTTPMethod,
        _ target: String,
        _ body: String?,
        _ more: [(String, String)]
    ) async throws -> APIAnswer {
        var headers = HTTPHeaders([("user-agent", Self.userAgent)] + more)
        if body != nil, !headers.contains("content-type") {
            headers.append(name: "content-type", value: "application/x-www-form-urlencoded")
        }
        if !cookies.isEmpty {
            let line = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
            headers.append(name: "cookie", value: line)
        }
        let answer = try await world.exchange(method, target, headers, Array((body ?? "").utf8), address: address)
        for line in answer.headers.values(of: "set-cookie") { keep(line) }
        page = answer.text
        location = answer.headers["location"]
        return answer
    }

    /// Signs a person in by the page, and gives where that led.
    @discardableResult
    func signIn(
        _ person: APIPerson,
        password: String = APIWorld.password,
        returnTo place: String? = nil
    ) async throws
        -> APIAnswer
    {
        try await get("/signin")
        if let place {
            return try await post("/signin", ["email": person.user.email, "password": password, "return_to": place])
        }
        return try await post("/signin", ["email": person.user.email, "password": password])
    }

    /// The token in the forms of the page.
    var formToken: String? { value(of: "form") }

    /// The value of the first field of a name.
    func value(of name: String) -> String? {
        let mark = "name=\"\(name)\" value=\""
        guard let place = page.firstRange(of: mark) else { return nil }
        return String(page[place.upperBound...].prefix { $0 != "\"" })
    }

    /// Takes over another browser's cookies.
    func take(_ name: String, _ value: String?) { cookies[name] = value }

    private func keep(_ line: String) {
        let head = line.split(separator: ";")[0]
        let parts = head.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        cookies[parts[0]] = line.contains("Max-Age=0;") ? nil : parts[1]
    }

    static func encode(_ pairs: [(String, String)]) -> String {
        pairs.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
    }
}

extension APIWorld {
    /// Sends a request with any body.
    func exchange(
        _ method: HTTPMethod,
        _ target: String,
        _ headers: HTTPHeaders,
        _ body: [UInt8],
        address: String,
        replica: Int = 0
    ) async throws -> APIAnswer {
        let request = try HTTPRequest(
            method: method,
            target: target,
            headers: headers,
            body: InMemoryBody(body),
            remoteAddress: address,
            isSecure: true,
            requestID: RequestID(at: time.now).description,
            authority: "errand.test"
        )
        return try await APIAnswer(replicas[replica].router.respond(to: request), on: loop)
    }

    /// What the audit log says further of all acts of a name outside teams.
    func facts(of action: String) async throws -> [AuditDetail] {
        try await store.audit.stored(AuditChain(nil), after: .start, limit: 10_000)
            .filter { AuditEntry(canonical: $0.canonical)?.action == action }
            .flatMap { $0.personal.flatMap { AuditPersonalPart($0) }?.details ?? [] }
    }

    /// Sends a form as programs do.
    func form(
        _ target: String,
        _ fields: KeyValuePairs<String, String>,
        address: String = "192.0.2.9",
        headers: [(String, String)] = [],
        replica: Int = 0
    ) async throws -> APIAnswer {
        let body = PageBrowser.encode(fields.map { ($0.key, $0.value) })
        let type = ("content-type", "application/x-www-form-urlencoded")
        return try await exchange(
            .post,
            target,
            HTTPHeaders([type] + headers),
            Array(body.utf8),
            address: address,
            replica: replica
        )
    }
}

extension APIAnswer {
    /// The error that an OAuth client reads.
    var oauthError: String? { json["error"]?.string }
}
