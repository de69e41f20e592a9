import Bytes
import HTTP
import Testing

@Suite struct `The router` {
    private struct Broken: Error {}

    private func make() -> Router {
        func route(_ method: HTTPMethod, _ pattern: String) -> Route {
            Route(method: method, pattern: pattern, operationID: "\(method.rawValue) \(pattern)") { request in
                let values = request.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                return .json(200, Array("\(pattern) \(values.joined(separator: ","))".utf8))
            }
        }
        return Router([
            route(.get, "/v1/jobs"), route(.post, "/v1/jobs"), route(.get, "/v1/jobs/{id}"),
            route(.get, "/v1/jobs/summary"), route(.post, "/v1/jobs/{id}/cancel"),
            route(.get, "/v1/projects/{project}/files/{name}"),
            Route(method: .get, pattern: "/problem", operationID: "problem") { _ in
                throw ProblemError(Problem(status: 409, code: "taken", title: "Taken", retryAfter: 3))
            },
            Route(method: .get, pattern: "/broken", operationID: "broken") { _ in throw Broken() },
            Route(method: .post, pattern: "/body", operationID: "body") { request in
                .json(200, try await request.body.collect(limit: 4))
            },
        ])
    }

    private func ask(_ method: HTTPMethod, _ target: String, body: [UInt8] = []) async throws -> (HTTPResponse, String)
    {
        let request = try HTTPRequest(method: method, target: target, body: InMemoryBody(body), requestID: "req_1")
        let response = await make().respond(to: request)
        guard case .bytes(let bytes) = response.body else { return (response, "") }
        return (response, String(decoding: bytes, as: UTF8.self))
    }

    @Test(arguments: [
        ("/v1/jobs", "/v1/jobs "), ("/v1/jobs?limit=5", "/v1/jobs "), ("/v1/jobs/job_1", "/v1/jobs/{id} id=job_1"),
        ("/v1/jobs/summary", "/v1/jobs/summary "),
        ("/v1/projects/p%20q/files/a%2Fb", "/v1/projects/{project}/files/{name} name=a/b,project=p q"),
    ])
    func `a path finds its route`(_ target: String, _ expected: String) async throws {
        #expect(try await ask(.get, target).1 == expected)
        #expect(try await ask(.head, target).0.status == 200)
    }

    @Test(arguments: [
        "/", "/v1", "/v1/jobs/", "/v1/jobs//cancel", "/v1/jobs/a/b", "/v1/Jobs", "/v1/projects//files/x", "//v1/jobs",
    ])
    func `another path is not found`(_ target: String) async throws {
        let (response, body) = try await ask(.get, target)
        #expect(response.status == 404)
        #expect(body.contains("\"code\":\"not_found\""))
    }

    @Test(arguments: ["/v1/jobs/%zz", "/v1/jobs/%", "/v1/jobs/%00", "/v1/jobs/%ff"])
    func `a path that does not decode is refused`(_ target: String) async throws {
        #expect(try await ask(.get, target).0.status == 400)
    }

    @Test(arguments: ["/v1/jobs?a=%zz", "/v1/jobs?%ff=1", "/v1/jobs?a=%00"])
    func `a query that does not decode is refused`(_ target: String) throws {
        #expect(throws: ProblemError.self) { try HTTPRequest(method: .get, target: target) }
    }

    @Test func `a query is decoded strictly`() throws {
        let request = try HTTPRequest(method: .get, target: "/x?a=1+2&b=%C3%BC&c&a=3&=4")
        #expect(request.query.map { "\($0.0)=\($0.1)" } == ["a=1 2", "b=ü", "c=", "a=3", "=4"])
        #expect(request.queryValue("a") == "1 2")
        #expect(request.queryValue("d") == nil)
    }

    @Test func `a wrong method names the right ones`() async throws {
        let (response, body) = try await ask(.delete, "/v1/jobs")
        #expect(response.status == 405)
        #expect(response.headers["allow"] == "GET, HEAD, OPTIONS, POST")
        #expect(body.contains("method_not_allowed"))
    }

    @Test func `OPTIONS names the methods`() async throws {
        let (response, _) = try await ask(.options, "/v1/jobs/job_1/cancel")
        #expect(response.status == 204)
        #expect(response.headers["allow"] == "OPTIONS, POST")
        #expect(try await ask(.options, "*").0.status == 204)
    }

    @Test func `a thrown problem is the answer`() async throws {
        let (response, body) = try await ask(.get, "/problem")
        #expect(response.status == 409)
        #expect(response.headers["retry-after"] == "3")
        #expect(response.headers["content-type"] == "application/problem+json")
        #expect(body.contains("\"code\":\"taken\"") && body.contains("\"request_id\":\"req_1\""))
    }

    @Test func `item 57: another error is internal and tells nothing`() async throws {
        let router = make()
        var told: [String] = []
        router.onInternalError = { error, operation, requestID in told.append("\(error) \(operation) \(requestID)") }
        let response = await router.respond(to: try HTTPRequest(method: .get, target: "/broken", requestID: "req_2"))
        #expect(response.status == 500)
        #expect(response.problem?.code == "internal")
        #expect(response.problem?.detail == nil)
        #expect(told == ["Broken() broken req_2"])
    }

    @Test func `a body over the handler's limit is 413`() async throws {
        #expect(try await ask(.post, "/body", body: [1, 2, 3, 4]).0.status == 200)
        #expect(try await ask(.post, "/body", body: [1, 2, 3, 4, 5]).0.status == 413)
    }
}

@Suite struct `Problems` {
    @Test func `a problem has every member it should`() throws {
        let problem = Problem(
            status: 422,
            code: "invalid",
            title: "Not valid",
            detail: "two fields",
            pointers: [("/name", "too long"), ("/argv/0", "empty")]
        )
        let value = try JSONReader.parse(problem.encoded(requestID: "req_9"))
        #expect(value["type"]?.string == "about:blank")
        #expect(value["status"]?.integer == 422)
        #expect(value["code"]?.string == "invalid")
        #expect(value["request_id"]?.string == "req_9")
        #expect(value["errors"]?.array?.compactMap { $0["pointer"]?.string } == ["/name", "/argv/0"])
    }
}
