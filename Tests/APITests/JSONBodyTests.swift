import Bytes
import HTTP
import Testing

@testable import API

struct JSONBodyTests {
    private func refusal(of body: String) async throws -> Problem? {
        let request = try HTTPRequest(
            method: .post,
            target: "/v1/jobs",
            headers: HTTPHeaders([("content-type", "application/json")]),
            body: InMemoryBody([UInt8](body.utf8))
        )
        do {
            _ = try await request.jsonObject(limit: BodyLimits.job) { $0.strings("a", count: 0...100_000, maximum: 1) }
            return nil
        } catch let error as ProblemError {
            return error.problem
        }
    }

    private func body(of count: Int) -> String {
        // Members of one array are bounded too: the values are in arrays of their own.
        let row = "[" + [String](repeating: "0", count: 999).joined(separator: ",") + "]"
        return #"{"a":["# + [String](repeating: row, count: count).joined(separator: ",") + "]}"
    }

    @Test func `a body of more values than any request has is refused before it costs memory`() async throws {
        let refused = try #require(try await refusal(of: body(of: 4_000)))
        #expect(refused.status == 400)
        #expect(refused.code == "json_too_complex")
        #expect(refused.detail?.contains("too many values") == true)
        // Within the bound the fields are looked at.
        let read = try #require(try await refusal(of: body(of: 19)))
        #expect(read.status == 422)
        #expect(read.code == "invalid_fields")
    }

    @Test(arguments: [
        (String(repeating: "[", count: 40) + String(repeating: "]", count: 40), "json_too_complex"),
        ("[" + String(repeating: "0,", count: 10_000) + "0]", "json_too_complex"),
        (#"{"a":1,"a":1}"#, "malformed_json"),
        ("{", "malformed_json"),
    ])
    func `a body that cannot be read is refused by a code of its own`(body: String, code: String) async throws {
        let problem = try #require(try await refusal(of: body))
        #expect(problem.status == 400 && problem.code == code)
    }

    @Test func `a body that fits is read`() async throws {
        #expect(try await refusal(of: #"{"a":["x"]}"#) == nil)
    }
}
