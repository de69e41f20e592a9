import Core
import HTTP
import Testing

@testable import Egress

@Suite struct ModelRouteTests {
    private static let route = ModelRoute(token: "attempt-token", key: "canary-key", provider: .anthropic)

    @Test(arguments: [
        [("x-api-key", "attempt-token")], [("Authorization", "Bearer attempt-token")],
        [("authorization", "bearer attempt-token"), ("x-api-key", "attacker")],
    ])
    func `the attempt's token opens the two calls`(fields: [(String, String)]) {
        for path in ["/v1/messages", "/v1/messages/count_tokens"] {
            #expect(Self.route.refusal(method: .post, path: path, headers: HTTPHeaders(fields)) == nil)
        }
    }

    @Test(arguments: [
        [], [("x-api-key", "")], [("x-api-key", "another-token")], [("x-api-key", "attempt-toke")],
        [("x-api-key", "attempt-token2")], [("Authorization", "attempt-token")],
        [("Authorization", "Basic attempt-token")],
        [("x-api-key", "canary-key")],
    ])
    func `without the token there is no answer`(fields: [(String, String)]) {
        let refusal = Self.route.refusal(method: .post, path: "/v1/messages", headers: HTTPHeaders(fields))
        #expect(refusal?.status == 401)
    }

    @Test(arguments: [
        "/", "/v1/models", "/v1/files", "/v1/messages/", "/v1/messages/batches", "//evil/v1/messages",
        "/../v1/messages", "/v1/../v1/messages", "/v1/%6dessages", "/v1/complete", "/v1/Messages",
    ])
    func `no other path may be asked`(path: String) {
        let headers = HTTPHeaders([("x-api-key", "attempt-token")])
        #expect(Self.route.refusal(method: .post, path: path, headers: headers)?.status == 403)
    }

    @Test(arguments: [HTTPMethod.get, .put, .delete, .head, .options])
    func `no other method may be used`(method: HTTPMethod) {
        let headers = HTTPHeaders([("x-api-key", "attempt-token")])
        #expect(Self.route.refusal(method: method, path: "/v1/messages", headers: headers)?.status == 405)
    }

    @Test func `what the sandbox says about keys, hosts and connections is stripped and the key is added`() {
        let inbound = HTTPHeaders([
            ("Host", "evil"), ("X-Api-Key", "attacker"), ("Authorization", "Bearer attempt-token"),
            ("Proxy-Authorization", "Basic x"), ("Connection", "close, X-Hop"), ("X-Hop", "1"), ("Cookie", "a=b"),
            ("Content-Length", "5"), ("Transfer-Encoding", "chunked"), ("X-Forwarded-For", "1.2.3.4"),
            ("Expect", "100-continue"), ("Accept-Encoding", "gzip"), ("anthropic-beta", "one,two"),
            ("anthropic-version", "2023-06-01"), ("Content-Type", "application/json"), ("X-Stainless-Lang", "js"),
        ])
        let outbound = Self.route.outbound(inbound).all.map { "\($0.0.lowercased()): \($0.1)" }
        #expect(
            outbound == [
                "anthropic-beta: one,two", "anthropic-version: 2023-06-01", "content-type: application/json",
                "x-stainless-lang: js", "x-api-key: canary-key", "accept-encoding: identity",
            ]
        )
    }

    @Test func `an answer's fields pass by name, and never with the key in them`() {
        let inbound = Self.route.inbound(
            HTTPHeaders([
                ("Content-Type", "text/event-stream"), ("request-id", "req_1"), ("retry-after", "3"),
                ("anthropic-ratelimit-unified-status", "allowed"), ("anthropic-debug", "key=canary-key;"),
                ("Set-Cookie", "a=b"), ("X-Echo", "canary-key"), ("Server", "x"), ("Connection", "close"),
                ("Location", "http://evil/"),
            ])
        )
        #expect(
            inbound.all.map(\.0) == ["Content-Type", "request-id", "retry-after", "anthropic-ratelimit-unified-status"]
        )
    }
}
