import API
import Bytes
import FoundationEssentials
import HTTP
import Testing

struct RouteTableTests {
    private static let root = #filePath.components(separatedBy: "/Tests/").dropLast().joined(separator: "/Tests/")

    private func document() throws -> JSONValue {
        let data = try Data(contentsOf: URL(filePath: Self.root + "/openapi/openapi.json"))
        return try JSONReader.parse(Array(data), limits: JSONLimits(maximumBytes: 4 << 20))
    }

    @Test func `every route is in the OpenAPI document, and everything in it is a route`() throws {
        var documented: Set<String> = []
        for (path, item) in try #require(document()["paths"]?.object).members {
            for (method, operation) in try #require(item.object).members where method != "parameters" {
                let id = try #require(operation["operationId"]?.string)
                documented.insert("\(method.uppercased()) \(path) \(id)")
            }
        }
        let routes = Set(Endpoints.table.map { "\($0.method.rawValue) \($0.pattern) \($0.operationID)" })
        #expect(routes.count == Endpoints.table.count)
        #expect(documented == routes)
    }

    @Test func `every operation that needs a token says what a missing one gets`() throws {
        for (path, item) in try #require(document()["paths"]?.object).members {
            for (method, operation) in try #require(item.object).members where method != "parameters" {
                guard operation["security"] == nil else { continue }
                #expect(operation["responses"]?["401"] != nil, "\(method) \(path)")
            }
        }
    }

    @Test func `the table of limits names routes only, and nothing but health is free`() {
        let operations = Set(Endpoints.table.map(\.operationID))
        #expect(RouteLimits.names.subtracting(operations).isEmpty)
        let free = Endpoints.table.filter { RouteLimits.limit(of: $0).kind == nil }
        #expect(free.map(\.operationID) == ["health"])
    }

    @Test func `every route but health documents its limits in each answer, and the refusal`() throws {
        for (path, item) in try #require(document()["paths"]?.object).members {
            for (method, operation) in try #require(item.object).members where method != "parameters" {
                guard operation["operationId"]?.string != "health" else { continue }
                #expect(
                    operation["responses"]?["429"]?["$ref"]?.string == "#/components/responses/TooManyRequests",
                    "\(method) \(path)"
                )
                for (status, response) in try #require(operation["responses"]?.object).members {
                    let headers = try described(response)["headers"]
                    #expect(headers?["RateLimit"] != nil && headers?["RateLimit-Policy"] != nil, "\(path) \(status)")
                }
            }
        }
    }

    /// A response, or what its reference names.
    private func described(_ response: JSONValue) throws -> JSONValue {
        guard let name = response["$ref"]?.string?.split(separator: "/").last else { return response }
        return try #require(document()["components"]?["responses"]?[String(name)])
    }
}
