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
}
